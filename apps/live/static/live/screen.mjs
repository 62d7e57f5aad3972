// A board nobody touches: page after page of what fits, the leaders always on the first, and the time of day.

import { calm, find, say, words } from "./page.mjs";

const SECONDS = Number(new URLSearchParams(location.search).get("seconds")) || 12;
const LEAST_SECONDS = 4;
const MARGIN_PX = 12;

const board = find("board");
const body = find("lines");
const time = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: board.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
let page = 0;

const rows = () => [...body.querySelectorAll("tr[data-entry]")];

/** The rows of each page: as many as the screen has room for. */
function pages() {
  const all = rows();
  for (const row of all) row.hidden = false;
  const space = innerHeight - body.getBoundingClientRect().top - MARGIN_PX;
  const found = [[]];
  let left = space;
  for (const row of all) {
    const { height } = row.getBoundingClientRect();
    if (height > left && found.at(-1).length) {
      found.push([]);
      left = space;
    }
    found.at(-1).push(row);
    left -= height;
  }
  return found;
}

function show() {
  const found = pages();
  page %= found.length;
  found.forEach((of, n) => of.forEach((row) => { row.hidden = n !== page; }));
  find("page").textContent = found.length > 1 ? say(words.page, { page: page + 1, pages: found.length }) : "";
}

function turn() {
  page += 1;
  show();
  document.body.classList.toggle("turning", !calm.matches);
  setTimeout(() => document.body.classList.remove("turning"), 600);
}

function tick() {
  find("clock").textContent = time.format(Date.now());
}

board.addEventListener("rendered", show);
addEventListener("resize", show);
setInterval(turn, Math.max(LEAST_SECONDS, SECONDS) * 1000);
setInterval(tick, 1000);
tick();
show();
