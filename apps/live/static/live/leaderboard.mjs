// Makes the server's table live. Without this module the page is the same table, standing still.

import { writeDetails } from "./details.mjs";
import { Feed } from "./feed.mjs";
import { age, element, find, say, showState, words } from "./page.mjs";
import { openRows, rowOf, show, toggle } from "./rows.mjs";
import { isPending } from "./splits.mjs";
import { standings } from "./standings.mjs";

const SPREAD_MS = 3000; // pages that heard the same news ask at different instants
const RENEW_MS = 30_000;

const board = find("board");
const filter = find("class");
const lines = new Map(); // entry id → line of the board, as the server sent it
let inside = null; // entry id → expected rank of a crew inside a stage, as the server sent it; null before that
let details = null;
let leader = null;
let asking = 0;

const chosenClass = () => filter?.value ?? board.dataset.class;
const shown = () => standings([...lines.values()], chosenClass(), words);

function render({ marks }) {
  const now = shown();
  show(now, marks);
  decorateAll(now);
  announce(now[0], marks);
}

function decorateAll(all) {
  for (const one of all) decorate(one);
  board.dispatchEvent(new Event("rendered"));
}

/** What is known beyond the board's line: the expected rank of a crew under way, and penalties not yet confirmed. */
function decorate(one) {
  const row = rowOf(one.entryId);
  if (inside) expect(row, one);
  note(row, "pending", details && isPending(details, one.entryId) && one.penalty && words.pending, words.pendingHint);
}

function expect(row, one) {
  const expected = inside.get(one.entryId);
  row.toggleAttribute("data-inside", Boolean(expected));
  const rank = one.statusName === "running" && expected?.[chosenClass() ? "classRank" : "rank"];
  if (!rank) return note(row, "virtual");
  const said = { rank, control: expected.control, age: ageOf(one.entryId) };
  return note(row, "virtual", `${say(words.virtual, said)}${said.age && ` · ${said.age}`}`, said.age && say(words.virtualHint, said));
}

/** How old what is known of an entry is. */
function ageOf(entryId) {
  const seen = details?.entries[entryId]?.seen;
  return seen ? age(details.now - seen) : "";
}

function note(row, name, text, hint) {
  const held = row.querySelector(`.${name}`);
  if (!text) return held?.remove();
  const cell = row.querySelector(".state");
  const one = held ?? cell.appendChild(element("span", { className: name }));
  one.textContent = text;
  one.title = hint;
  return undefined;
}

function announce(first, marks) {
  const now = first?.rank ? first.entryId : null;
  if (marks && now && now !== leader) {
    find("announcement").textContent = say(words.leader, { number: first.number, crew: first.crew });
  }
  leader = now;
}

async function askDetails() {
  asking = 0;
  if (document.visibilityState !== "visible") return;
  try {
    const answer = await fetch(board.dataset.details);
    if (answer.ok) details = await answer.json();
  } catch {
    return; // offline: the feed says so, and asks again when it is back
  }
  decorateAll(shown());
  for (const row of openRows()) writeOpened(row);
}

const soon = (ms) => (asking ||= setTimeout(askDetails, ms));

function writeOpened(row) {
  writeDetails(row.opened.firstElementChild, details, row.dataset.entry, shown().map((one) => one.entryId));
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

if (filter) {
  find("show").hidden = true;
  filter.addEventListener("change", chooseClass);
  filter.form.addEventListener("submit", (event) => event.preventDefault());
}
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
find("lines").addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-entry]");
  if (row?.querySelector(".more")) toggle(row, () => writeOpened(row));
});

function showExpected(news) {
  for (const line of news) {
    if (line.gone) inside.delete(line.key);
    else inside.set(line.entryId, line);
  }
  if (lines.size) decorateAll(shown());
}

const feed = new Feed(showState);
feed.follow(board.dataset.topic, {
  snapshot(all) {
    const first = lines.size === 0;
    lines.clear();
    merge(all);
    render({ marks: !first });
    soon(first ? 0 : Math.random() * SPREAD_MS);
  },
  changes(news) {
    merge(news);
    render({ marks: true });
    soon(500 + Math.random() * SPREAD_MS);
  },
});
feed.follow(board.dataset.expected, {
  snapshot(all) {
    inside = new Map();
    showExpected(all);
  },
  changes: showExpected,
});
setInterval(() => soon(0), RENEW_MS);
