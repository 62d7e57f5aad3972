// A board as people read it, the same as apps/live/standings.py does on the server. No DOM here.

const GROUPS = { running: 1, registered: 2 };
const LAST_GROUP = 3;
const UNDER_WAY = ["running", "finished"];
const HOUR_MS = 3_600_000;

/** Lines of one class ("" = all) in order, with texts for every cell. `words` has `statuses` and `fewer`. */
export function standings(lines, classCode, words) {
  const tenths = lines.some((line) => [line.timeMs, line.totalMs, line.penaltyMs].some((ms) => (ms ?? 0) % 1000));
  const rank = classCode ? "classRank" : "rank";
  const chosen = lines.filter((line) => !classCode || line.classCode === classCode);
  chosen.sort((a, b) => compare(place(a, rank), place(b, rank)));
  const behind = gaps(chosen.filter((line) => line[rank] && line.totalMs !== null), tenths, words.fewer);
  return chosen.map((line) => standing(line, { rank, tenths, gap: behind.get(line.entryId), statuses: words.statuses }));
}

/** `h:mm:ss`, with tenths where the board has any; cut, not rounded. */
export function clock(ms, tenths) {
  if (ms === null) return "";
  const seconds = Math.floor(ms / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const text = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return tenths ? `${text}.${Math.floor((ms % 1000) / 100)}` : text;
}

/** Entry id → gap to the leader; none in time with fewer stages driven, or behind with more or in less time. */
function gaps(ranked, tenths, fewerStages) {
  return new Map(ranked.map((line) => [line.entryId, gap(line, ranked[0], tenths, fewerStages)]));
}

function gap(line, leader, tenths, fewerStages) {
  if (line.completedStages < leader.completedStages) return UNDER_WAY.includes(line.status) ? fewerStages : "";
  if (line.completedStages > leader.completedStages || line.totalMs < leader.totalMs) return "";
  return plus(line.totalMs - leader.totalMs, tenths);
}

/** `+m:ss`, from an hour on `+h:mm:ss`. */
export function plus(ms, tenths) {
  if (!ms) return "";
  const text = clock(ms, tenths);
  return `+${ms >= HOUR_MS ? text : text.replace(/^0:0?/, "")}`;
}

function place(line, rank) {
  return [line[rank] ? 0 : GROUPS[line.status] ?? LAST_GROUP, line[rank] ?? 0, line.raceNumber];
}

function compare(a, b) {
  const at = a.findIndex((value, n) => value !== b[n]);
  return at < 0 ? 0 : a[at] - b[at];
}

function standing(line, { rank, tenths, gap, statuses }) {
  return {
    entryId: line.entryId,
    statusName: line.status,
    rank: String(line[rank] ?? ""),
    number: String(line.raceNumber),
    crew: line.crew,
    vehicle: line.vehicle,
    class: line.classCode,
    status: statuses[line.status] ?? line.status,
    control: line.status === "running" ? line.lastControl : "",
    time: clock(line.timeMs, tenths),
    penalty: plus(line.penaltyMs, tenths),
    total: clock(line.totalMs, tenths),
    gap: gap ?? "",
  };
}
