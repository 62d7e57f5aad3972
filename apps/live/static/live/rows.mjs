// The rows of a board: filled, moved, marked, and opened for their details.

import { calm, element, find, say, words } from "./page.mjs";

const CELLS = ["rank", "number", "crew", "vehicle", "class", "status", "control", "time", "penalty", "total", "gap"];
const MARK_MS = 6000;
const body = find("lines");

/** Make the table show these standings, in order; `marks`: say what is new. */
export function show(standings, marks) {
  const before = tops();
  arrange(standings.map((one) => fill(rowOf(one.entryId), one, marks)));
  if (marks && !calm.matches) glide(before);
  find("nobody").hidden = standings.length > 0;
}

export function rowOf(entryId) {
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
  const button = row.querySelector(".more");
  if (button) button.ariaLabel = say(words.details, { number: one.number });
  if (marks && changed.some((name) => name !== "gap")) mark(row, from, Number(one.rank));
  return row;
}

function mark(row, from, to) {
  row.dataset.news = from && to && from !== to ? (to < from ? "up" : "down") : "same";
  clearTimeout(row.unmark);
  row.unmark = setTimeout(() => delete row.dataset.news, MARK_MS);
}

/** Make the table's rows exactly these with their details under them, moving only those that are not in place. */
function arrange(wanted) {
  const rows = wanted.flatMap((row) => (row.opened ? [row, row.opened] : [row]));
  rows.forEach((row, n) => body.children[n] !== row && body.insertBefore(row, body.children[n] ?? null));
  while (body.children.length > rows.length) body.lastElementChild.remove();
}

const tops = () => new Map([...body.children].map((row) => [row, row.getBoundingClientRect().top]));

function glide(before) {
  for (const [row, top] of tops()) {
    const way = (before.get(row) ?? top) - top;
    if (way) row.animate([{ transform: `translateY(${way}px)` }, { transform: "none" }], { duration: 450, easing: "ease-in-out" });
  }
}

/** Open or close what is under a row; `fillIn(cell)` writes it. */
export function toggle(row, fillIn) {
  const button = row.querySelector(".more");
  button.ariaExpanded = String(!row.opened);
  if (row.opened) {
    row.opened.remove();
    row.opened = null;
    return;
  }
  const cell = element("td", { colSpan: 10, className: "opened", attributes: { role: "cell" } });
  row.opened = element("tr", { className: "details", attributes: { role: "row" } }, cell);
  row.after(row.opened);
  fillIn(cell);
}

export const openRows = () => [...body.querySelectorAll("[data-entry]")].filter((row) => row.opened);
