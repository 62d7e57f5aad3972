// A board nobody touches: page after page of what fits, the leaders always on the first, and the time of day.

import { calm, find, say, words } from "./page.mjs";

const SECONDS = Number(new URLSearchParams(location.search).get("seconds")) || 12;
const LEAST_SECONDS = 4;

const board = find("board");
const body = find("lines");
const time = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: board.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
let page = 0;

const rows = () => [...body.querySelectorAll("tr[data-entry]")];

/** How many rows of the tallest kind the screen has room for. */
function room() {
  const all = rows();
  for (const row of all) row.hidden = false;
  const tallest = Math.max(1, ...all.map((row) => row.getBoundingClientRect().height));
  const space = innerHeight - body.getBoundingClientRect().top - 12;
  return Math.max(1, Math.floor(space / tallest));
}

function show() {
  const fits = room();
  const all = rows();
  const pages = Math.max(1, Math.ceil(all.length / fits));
  page %= pages;
  all.forEach((row, n) => { row.hidden = Math.floor(n / fits) !== page; });
  find("page").textContent = pages > 1 ? say(words.page, { page: page + 1, pages }) : "";
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
