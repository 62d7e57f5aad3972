// Where the crews are and were, as data: latest position, trail, colour, who is chosen. No map and no DOM here.

const TRAIL_MS = 5 * 60_000;
const STALE_MS = 60_000;
const APART_MOST = 12; // so few are compared with each other: none of them hides in a cluster
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#f0e442", "#a05d2c", "#4b5563"];

export class Crews {
  #held = new Map(); // entry id → crew with `at`, `trail`
  #colours;
  chosen = { classCode: "", text: "" };
  followed = null;

  constructor(known) {
    const classes = [...new Set(known.map((crew) => crew.classCode))];
    this.#colours = new Map(classes.map((code, n) => [code, COLOURS[n % COLOURS.length]]));
    for (const crew of known) this.#held.set(crew.entryId, this.#fresh(crew));
  }

  #fresh(crew) {
    return { ...crew, colour: this.#colours.get(crew.classCode) ?? COLOURS.at(-1), at: null, trail: [] };
  }

  /** A PositionEntry, or what a replay makes of one: { entryId, raceNumber, lat, lon, ts, speed?, course? }. */
  place(position) {
    const { entryId, raceNumber } = position;
    if (!this.#held.has(entryId)) this.#held.set(entryId, this.#fresh({ entryId, raceNumber, crew: "", vehicle: "", classCode: "" }));
    const crew = this.#held.get(entryId);
    if (crew.at && position.ts < crew.at.ts) return;
    crew.at = position;
    const trail = [...crew.trail, [position.lon, position.lat, position.ts]];
    crew.trail = trail.filter(([, , ts]) => position.ts - ts <= TRAIL_MS);
  }

  /** Put the way up to where a crew was first seen here before it: [lon, lat, ts], by instant. */
  comeFrom(entryId, way) {
    const crew = this.#held.get(entryId);
    if (!crew?.at) return;
    const recent = way.filter(([, , ts]) => ts <= crew.at.ts && crew.at.ts - ts <= TRAIL_MS);
    const last = recent.at(-1)?.[2] ?? -Infinity;
    crew.trail = [...recent, ...crew.trail.filter(([, , ts]) => ts > last)];
  }

  /** Set all at once, trails too, as a replay does; those not named are nowhere. */
  replace(states) {
    for (const crew of this.#held.values()) Object.assign(crew, { at: null, trail: [] });
    for (const { position, trail } of states) {
      this.place(position);
      this.#held.get(position.entryId).trail = trail;
    }
  }

  of(entryId) {
    return this.#held.get(entryId);
  }

  byNumber(number) {
    return [...this.#held.values()].find((crew) => String(crew.raceNumber) === String(number));
  }

  /** Those of the chosen class and text, by race number. */
  shown() {
    const { classCode, text } = this.chosen;
    const fits = finder(text);
    const found = [...this.#held.values()].filter((crew) => (!classCode || crew.classCode === classCode) && fits(crew));
    return found.sort((a, b) => a.raceNumber - b.raceNumber);
  }

  /** Those that make clusters where they are close. */
  points(now) {
    const crews = this.shown();
    const clustered = crews.length > APART_MOST ? crews.filter((crew) => crew.entryId !== this.followed) : [];
    return collection(clustered.filter((crew) => crew.at).map((crew) => point(crew, now, false)));
  }

  /** Those in no cluster: the followed crew, drawn last, and before it the others where few are chosen. */
  apartPoints(now) {
    const crews = this.shown();
    const followed = this.of(this.followed);
    const others = crews.length > APART_MOST ? [] : crews.filter((crew) => crew !== followed);
    const apart = followed ? [...others, followed] : others;
    return collection(apart.filter((crew) => crew.at).map((crew) => point(crew, now, crew === followed)));
  }

  trails() {
    return collection(this.shown().filter((crew) => crew.trail.length > 1).map(trailOf));
  }
}

export const isStale = (crew, now) => now - crew.at.ts > STALE_MS;

/** What fits a text: "7, 12" are these numbers, anything else a part of number, names or vehicle. */
function finder(text) {
  const wanted = text.trim().toLowerCase();
  const words = wanted.split(/[\s,;+]+/);
  if (words.length > 1 && words.every((word) => /^\d*$/.test(word))) return (crew) => words.includes(String(crew.raceNumber));
  return (crew) => `${crew.raceNumber} ${crew.crew} ${crew.vehicle}`.toLowerCase().includes(wanted);
}

function point(crew, now, followed) {
  const { lon, lat, course = null, speed = 0 } = crew.at;
  const state = followed ? "followed" : isStale(crew, now) ? "stale" : "fresh";
  const properties = { entryId: crew.entryId, number: crew.raceNumber, colour: crew.colour, state, course, heads: course !== null && speed > 3 };
  return { type: "Feature", properties, geometry: { type: "Point", coordinates: [lon, lat] } };
}

function trailOf(crew) {
  const coordinates = crew.trail.map(([lon, lat]) => [lon, lat]);
  return { type: "Feature", properties: { colour: crew.colour }, geometry: { type: "LineString", coordinates } };
}

const collection = (features) => ({ type: "FeatureCollection", features });
