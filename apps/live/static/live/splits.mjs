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

export const isPending = (details, entry) => (details.entries[entry]?.penalties ?? []).some((one) => one.pending);
