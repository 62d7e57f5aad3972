// A board as people read it, the same as apps/live/standings.py does on the server. No DOM here.

const GROUPS = { running: 1, registered: 2 };
const LAST_GROUP = 3;

/** Lines of one class ("" = all) in order, with texts for every cell. */
export function standings(lines, classCode, statuses) {
  const tenths = lines.some((line) => [line.timeMs, line.totalMs, line.penaltyMs].some((ms) => (ms ?? 0) % 1000));
  const rank = classCode ? "classRank" : "rank";
  const chosen = lines.filter((line) => !classCode || line.classCode === classCode);
  chosen.sort((a, b) => compare(place(a, rank), place(b, rank)));
  const leader = chosen[0]?.[rank] ? chosen[0].totalMs : null;
  return chosen.map((line) => standing(line, { rank, leader, tenths, statuses }));
}

/** `h:mm:ss`, with tenths where the board has any; cut, not rounded. */
export function clock(ms, tenths) {
  if (ms === null) return "";
  const seconds = Math.floor(ms / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const text = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return tenths ? `${text}.${Math.floor((ms % 1000) / 100)}` : text;
}

function place(line, rank) {
  return [line[rank] ? 0 : GROUPS[line.status] ?? LAST_GROUP, line[rank] ?? 0, line.raceNumber];
}

function compare(a, b) {
  const at = a.findIndex((value, n) => value !== b[n]);
  return at < 0 ? 0 : a[at] - b[at];
}

function standing(line, { rank, leader, tenths, statuses }) {
  const plus = (ms) => (ms ? `+${clock(ms, tenths)}` : "");
  const hasGap = line[rank] && leader !== null && line.totalMs !== null;
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
    penalty: plus(line.penaltyMs),
    total: clock(line.totalMs, tenths),
    gap: plus(hasGap ? Math.max(0, line.totalMs - leader) : 0),
  };
}
