// Times at controls, read from what the server says of a stage. No DOM here.

/**
 * Of one entry the rows of its splits: { name, ms, gap, rank } for each control it has reached. Gap and rank are
 * among `entries` (ids), those shown: a class, or all.
 */
export function splitRows(details, entry, entries) {
  const own = details.entries[entry]?.splits ?? [];
  return details.controls
    .map((control, at) => ({ name: control.name, ms: own[at] ?? null, ...standing(details, own[at] ?? null, at, entries) }))
    .filter((row) => row.ms !== null);
}

function standing(details, ms, at, entries) {
  const others = entries.map((id) => details.entries[id]?.splits?.[at] ?? null).filter((time) => time !== null);
  return { gap: ms === null ? null : ms - Math.min(...others), rank: 1 + others.filter((time) => time < ms).length };
}

/**
 * The rank a crew under way would have, by its time at the last control it reached: { rank, control }; null before
 * the first. Those who have not got there count as slower, and so it is expected, not sure.
 */
export function virtualRank(details, entry, entries) {
  const rows = splitRows(details, entry, entries);
  const last = rows.at(-1);
  return last ? { rank: last.rank, control: last.name } : null;
}

/**
 * The rank overall a crew inside a stage would have: { rank, control } by what it brought into the stage and its time
 * at the last control it reached; null before the first. Who has not got there is taken to be as fast.
 */
export function expectedRank(details, entry, entries) {
  const own = details.expected?.entries[entry];
  const at = own?.underWay && own.splits ? own.splits.findLastIndex((ms) => ms !== null) : -1;
  if (at < 0) return null;
  const sum = (one) => one.before + (one.splits?.[at] ?? own.splits[at]);
  const rivals = entries.map((id) => details.expected.entries[id]).filter(Boolean);
  const ahead = rivals.filter((one) => one.missing < own.missing || (one.missing === own.missing && sum(one) < sum(own)));
  return { rank: 1 + ahead.length, control: details.expected.controls[at].name };
}

export const isPending = (details, entry) => (details.entries[entry]?.penalties ?? []).some((one) => one.pending);
