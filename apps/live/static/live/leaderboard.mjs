// Makes the server's table live. Without this module the page is the same table, standing still.

import { Feed } from "./feed.mjs";
import { standings } from "./standings.mjs";

const CELLS = ["rank", "number", "crew", "vehicle", "class", "status", "control", "time", "penalty", "total", "gap"];
const MARK_MS = 6000;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const find = (id) => document.getElementById(id);

const board = find("board");
const body = find("lines");
const filter = find("class");
const words = JSON.parse(find("words").textContent);
const lines = new Map(); // entry id → line of the board, as the server sent it
let leader = null;

function render({ marks }) {
  const shown = standings([...lines.values()], filter.value, words);
  const before = tops();
  const wanted = shown.map((one) => fill(rowOf(one.entryId), one, marks));
  arrange(wanted);
  if (marks && !calm.matches) glide(before);
  find("nobody").hidden = shown.length > 0;
  announce(shown[0], marks);
}

function rowOf(entryId) {
  const held = body.querySelector(`[data-entry="${CSS.escape(entryId)}"]`);
  if (held) return held;
  const row = find("line").content.firstElementChild.cloneNode(true);
  row.dataset.entry = entryId;
  return row;
}

function fill(row, one, marks) {
  const changed = CELLS.filter((name) => {
    const cell = row.querySelector(`.${name}`);
    if (cell.textContent === one[name]) return false;
    cell.textContent = one[name];
    return true;
  });
  const from = Number(row.dataset.rank);
  row.dataset.status = one.statusName;
  row.dataset.rank = one.rank;
  if (marks && changed.some((name) => name !== "gap")) mark(row, from, Number(one.rank));
  return row;
}

function mark(row, from, to) {
  row.dataset.news = from && to && from !== to ? (to < from ? "up" : "down") : "same";
  clearTimeout(row.unmark);
  row.unmark = setTimeout(() => delete row.dataset.news, MARK_MS);
}

/** Make the table's rows exactly these, moving only those that are not in place. */
function arrange(wanted) {
  wanted.forEach((row, n) => body.children[n] !== row && body.insertBefore(row, body.children[n] ?? null));
  while (body.children.length > wanted.length) body.lastElementChild.remove();
}

const tops = () => new Map([...body.children].map((row) => [row, row.getBoundingClientRect().top]));

function glide(before) {
  for (const [row, top] of tops()) {
    const way = (before.get(row) ?? top) - top;
    if (way) row.animate([{ transform: `translateY(${way}px)` }, { transform: "none" }], { duration: 450, easing: "ease-in-out" });
  }
}

function announce(first, marks) {
  const now = first?.rank ? first.entryId : null;
  if (marks && now && now !== leader) {
    find("announcement").textContent = words.leader.replace("{number}", first.number).replace("{crew}", first.crew);
  }
  leader = now;
}

function showState(state) {
  const pill = find("connection");
  pill.hidden = false;
  pill.dataset.state = state;
  pill.textContent = words[state];
}

/** The class is chosen without reloading; address and tabs keep it. */
function chooseClass() {
  const keep = (url) => {
    url.searchParams.delete("class");
    if (filter.value) url.searchParams.set("class", filter.value);
    return url;
  };
  history.replaceState(null, "", keep(new URL(location.href)));
  for (const tab of document.querySelectorAll(".tabs a")) tab.href = keep(new URL(tab.href)).href;
  if (lines.size) render({ marks: false });
}

const merge = (news) => news.forEach((line) => lines.set(line.entryId, line));

find("show").hidden = true;
filter.addEventListener("change", chooseClass);
filter.form.addEventListener("submit", (event) => event.preventDefault());
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

new Feed(board.dataset.topic, {
  snapshot(all) {
    const first = lines.size === 0;
    lines.clear();
    merge(all);
    render({ marks: !first });
  },
  changes(news) {
    merge(news);
    render({ marks: true });
  },
  state: showState,
});
