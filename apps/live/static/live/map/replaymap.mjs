// A stage again: a clock that can be stopped, sought and hurried, and everybody where they were.

import { calm, element, find, words } from "../page.mjs";
import { clock } from "../standings.mjs";
import { positionAt, spanOf, trailAt, unpack } from "./tracks.mjs";
import { View } from "./view.mjs";

const TICK_MS = 100;
const CALM_TICK_MS = 1000;

const main = document.querySelector(".replay");
const [play, seek, speed, aligned, instantText] = ["play", "seek", "speed", "aligned", "instant"].map(find);
const time = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: main.dataset.zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

let tracks = new Map();
let step = 0;
let span = { low: 0, high: 1 };
let at = 0;
let timer = 0;
const view = new View(() => at);

function show() {
  const states = [];
  for (const [entryId, of] of tracks) {
    const instant = aligned.checked ? of.start + at : at;
    const position = positionAt(of, instant, step);
    if (!position) continue;
    const trail = trailAt(of, instant, position);
    const said = position.finished ? words.finished : "";
    states.push({ trail, position: { ...position, ts: at, entryId, raceNumber: view.crews.of(entryId)?.raceNumber ?? "?", said } });
  }
  view.crews.replace(states);
  view.draw();
  const text = aligned.checked ? clock(at) : time.format(at);
  instantText.textContent = text;
  seek.value = Math.round((1000 * (at - span.low)) / (span.high - span.low));
  seek.ariaValueText = text;
}

function run(running) {
  clearInterval(timer);
  timer = 0;
  if (running) {
    let last = performance.now();
    timer = setInterval(() => {
      const now = performance.now();
      at = Math.min(span.high, at + (now - last) * Number(speed.value));
      last = now;
      show();
      if (at >= span.high) run(false);
    }, calm.matches ? CALM_TICK_MS : TICK_MS);
  }
  play.textContent = running ? words.pause : words.play;
  play.dataset.running = String(running);
}

/** Start over when the meaning of the clock changes. */
function rewind() {
  span = spanOf(tracks, aligned.checked);
  at = span.low;
  show();
}

async function load() {
  find("announcement").textContent = words.loading;
  const answer = await fetch(main.dataset.tracks);
  if (!answer.ok) throw new Error(`the tracks: ${answer.status}`);
  const packed = await answer.json();
  [tracks, step] = [unpack(packed), packed.step];
}

function ready() {
  const hasTracks = tracks.size > 0;
  for (const control of [play, seek]) control.disabled = !hasTracks;
  find("announcement").textContent = hasTracks ? "" : words.nothing;
  if (!hasTracks) main.append(element("p", { className: "none map-note", textContent: words.nothing }));
  else rewind();
}

play.addEventListener("click", () => {
  if (at >= span.high) at = span.low;
  run(!timer);
});
seek.addEventListener("input", () => {
  at = span.low + (Number(seek.value) / 1000) * (span.high - span.low);
  show();
});
aligned.addEventListener("change", rewind);

view.draw();
await Promise.all([
  view.open(main.dataset.stage),
  load().then(ready, (error) => {
    console.warn(error);
    find("announcement").textContent = words.failed;
  }),
]);
