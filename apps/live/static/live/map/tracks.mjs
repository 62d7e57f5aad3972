// Tracks of a replay: unpacked, and where a crew was at an instant. No DOM here.

const E5 = 100_000;
const TRAIL_MS = 5 * 60_000;
const GAP_STEPS = 6; // with fixes further apart a crew stands at the last one: nobody knows where it was

/** The server's lists of differences → { start, finish, ts[], lat[], lon[] } by entry id; epoch ms, degrees. */
export function unpack({ entries }) {
  return new Map(Object.entries(entries).map(([entry, packed]) => [entry, track(packed)]));
}

function track({ t0, t, lat, lon, start, finish }) {
  return {
    start: start ?? t0,
    finish,
    ts: sums(t).map((tenths) => t0 + tenths * 100),
    lat: sums(lat).map((value) => value / E5),
    lon: sums(lon).map((value) => value / E5),
  };
}

function sums(differences) {
  let sum = 0;
  return differences.map((difference) => (sum += difference));
}

/** The index of the last fix at or before an instant; -1 before the first. */
export function indexAt(ts, instant) {
  let [low, high] = [-1, ts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (ts[middle] <= instant) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where a crew was, on the line between two fixes; it stays where it finished. Null before its first fix. */
export function positionAt(of, instant, step) {
  const until = of.finish ? Math.min(instant, of.finish) : instant;
  const n = indexAt(of.ts, until);
  if (n < 0) return null;
  const next = Math.min(n + 1, of.ts.length - 1);
  const span = of.ts[next] - of.ts[n];
  const share = span && span <= GAP_STEPS * step ? (until - of.ts[n]) / span : 0;
  const between = (values) => values[n] + (values[next] - values[n]) * share;
  const [dy, dx] = [of.lat[next] - of.lat[n], (of.lon[next] - of.lon[n]) * Math.cos((of.lat[n] * Math.PI) / 180)];
  const moving = share > 0 && !(of.finish && instant >= of.finish);
  return {
    ts: instant,
    lat: between(of.lat),
    lon: between(of.lon),
    course: moving ? ((Math.atan2(dx, dy) * 180) / Math.PI + 360) % 360 : null,
    speed: moving ? (Math.hypot(dx, dy) * 111_195 * 3600) / span : 0,
    finished: Boolean(of.finish && instant >= of.finish),
  };
}

/** The way of the last minutes up to a position. */
export function trailAt(of, instant, position) {
  const until = of.finish ? Math.min(instant, of.finish) : instant;
  const [from, to] = [indexAt(of.ts, until - TRAIL_MS), indexAt(of.ts, until)];
  const trail = [];
  for (let n = Math.max(0, from); n <= to; n += 1) trail.push([of.lon[n], of.lat[n], of.ts[n]]);
  return [...trail, [position.lon, position.lat, until]];
}

/** How long parts take, one after the other: as they were driven, or from everybody's own start. */
export const lengthOf = (parts, aligned) => parts.reduce((sum, { low, high, longest }) => sum + (aligned ? longest : high - low), 0);

/** Which part is on after so many ms, and how long since: { n, since }; the end belongs to the last. */
export function placeIn(parts, aligned, at) {
  let since = at;
  for (let n = 0; ; n += 1) {
    const length = lengthOf([parts[n]], aligned);
    if (since < length || n === parts.length - 1) return { n, since: Math.min(since, length) };
    since -= length;
  }
}
