// Stages again, one or several in a row: a clock that can be stopped, sought and hurried, and everybody where they were.

import { calm, element, find, given, words } from "../page.mjs";
import { clock } from "../standings.mjs";
import { lengthOf, placeIn, positionAt, trailAt, unpack } from "./tracks.mjs";
import { View } from "./view.mjs";

const TICK_MS = 100;
const CALM_TICK_MS = 1000;
const SEEK_STEPS = 1000; // of a stage

const main = document.querySelector(".replay");
const parts = given("parts"); // in the order they are played
const reels = parts.map(() => null); // of each part { tracks, step } once it is asked for, as a promise
const [play, seek, speed, aligned, instantText] = ["play", "seek", "speed", "aligned", "instant"].map(find);
const time = new Intl.DateTimeFormat(document.documentElement.lang, {
  timeZone: main.dataset.zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", ...(parts.length > 1 && { weekday: "short" }),
});

let at = 0; // ms since the first part began
let shown = null; // the part on the map, with its tracks
let timer = 0;
let looking = 0;
const view = new View(() => at);

async function fetchPart(n) {
  const answer = await fetch(parts[n].tracks);
  if (!answer.ok) throw new Error(`the tracks: ${answer.status}`);
  const packed = await answer.json();
  return { tracks: unpack(packed), step: packed.step };
}

/** The tracks of a part; asked for once, and again after a failure. */
function reel(n) {
  reels[n] ??= fetchPart(n).catch((error) => {
    reels[n] = null;
    throw error;
  });
  return reels[n];
}

/** Show the instant the clock is at, with the stage it is in. */
function show() {
  const { n, since } = placeIn(parts, aligned.checked, at);
  writeClock(parts[n], since);
  if (shown?.part !== parts[n]) turnTo(n);
  else place(since);
}

function writeClock(part, since) {
  instantText.textContent = aligned.checked ? clock(since) : time.format(part.low + since);
  find("part").textContent = part.name;
  seek.value = Math.round((Number(seek.max) * at) / lengthOf(parts, aligned.checked));
  seek.ariaValueText = parts.length > 1 ? `${part.name}, ${instantText.textContent}` : instantText.textContent;
}

/** Put another stage on the map; the clock stands until its tracks are there. */
async function turnTo(n) {
  if (looking === n + 1) return;
  looking = n + 1;
  find("announcement").textContent = words.loading;
  try {
    const { tracks, step } = await reel(n);
    shown = { part: parts[n], tracks, step };
    find("announcement").textContent = tracks.size ? parts[n].name : words.nothing;
    find("nothing").hidden = tracks.size > 0;
    view.look(parts[n].stage);
    if (n + 1 < parts.length) reel(n + 1).catch(() => null); // so that it is there when its turn comes
  } catch (error) {
    console.warn(error);
    run(false);
    find("announcement").textContent = words.failed;
    return;
  } finally {
    looking = 0;
  }
  show();
}

function place(since) {
  const { part, tracks, step } = shown;
  const states = [];
  for (const [entryId, of] of tracks) {
    const instant = since + (aligned.checked ? of.start : part.low);
    const position = positionAt(of, instant, step);
    if (!position) continue;
    const trail = trailAt(of, instant, position);
    const said = position.finished ? words.finished : "";
    states.push({ trail, position: { ...position, ts: at, entryId, raceNumber: view.crews.of(entryId)?.raceNumber ?? "?", said } });
  }
  view.crews.replace(states);
  view.draw();
}

function run(running) {
  clearInterval(timer);
  timer = 0;
  if (running) {
    let last = performance.now();
    timer = setInterval(() => {
      const now = performance.now();
      if (!looking) at = Math.min(lengthOf(parts, aligned.checked), at + (now - last) * Number(speed.value));
      last = now;
      show();
      if (at >= lengthOf(parts, aligned.checked)) run(false);
    }, calm.matches ? CALM_TICK_MS : TICK_MS);
  }
  play.textContent = running ? words.pause : words.play;
  play.dataset.running = String(running);
}

/** A mark on the slider where each stage but the first begins. */
function mark() {
  const whole = lengthOf(parts, aligned.checked);
  const begins = parts.slice(1).map((part, n) => lengthOf(parts.slice(0, n + 1), aligned.checked));
  find("begins").replaceChildren(...begins.map((ms) => element("option", { value: Math.round((Number(seek.max) * ms) / whole) })));
}

/** Begin again with the stage that is shown, when the meaning of the clock changes. */
function rewind() {
  const n = Math.max(0, parts.indexOf(shown?.part));
  at = lengthOf(parts.slice(0, n), aligned.checked);
  mark();
  show();
}

play.addEventListener("click", () => {
  if (at >= lengthOf(parts, aligned.checked)) at = 0;
  run(!timer);
});
seek.addEventListener("input", () => {
  at = (Number(seek.value) / Number(seek.max)) * lengthOf(parts, aligned.checked);
  show();
});
aligned.addEventListener("change", rewind);

seek.max = SEEK_STEPS * parts.length;
for (const control of [play, seek]) control.disabled = false;
rewind();
await view.open(parts[0].stage);
