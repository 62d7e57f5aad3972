// What race control makes of the lines it is told. No DOM here.

const NOTHING_TO_DO = 9;

const byNumber = (a, b) => a.raceNumber - b.raceNumber;

/** Alarms nobody has seen, the oldest first. */
export const alarms = (lines) => lines.filter((line) => line.sos && !line.sos.seenAt).sort((a, b) => a.sos.ts - b.sos.ts);

/** Who needs somebody: what is most urgent first. */
export function watched(lines) {
  return lines.filter((line) => line.attention < NOTHING_TO_DO).sort((a, b) => a.attention - b.attention || byNumber(a, b));
}

/** Whom the sweep car has still to see through, in its order. */
export const sweep = (lines) => lines.filter((line) => line.sweep !== null).sort((a, b) => a.sweep - b.sweep);

/** How many are in each state, alarms apart. */
export function counts(lines) {
  const found = { sos: alarms(lines).length, stopped: 0, silent: 0, "no-coverage": 0, moving: 0, idle: 0, "no-tracker": 0 };
  for (const line of lines) found[line.state] += 1;
  return found;
}
