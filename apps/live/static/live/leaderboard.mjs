// Makes the server's table live. Without this module the page is the same table, standing still.

import { writeDetails } from "./details.mjs";
import { Feed } from "./feed.mjs";
import { age, element, find, say, showState, words } from "./page.mjs";
import { openRows, rowOf, show, toggle } from "./rows.mjs";
import { expectedRank, isPending, virtualRank } from "./splits.mjs";
import { standings } from "./standings.mjs";

const SPREAD_MS = 3000; // pages that heard the same news ask at different instants
const RENEW_MS = 30_000;
const IN = ["registered", "running", "finished"]; // who is out is no rival any more

const board = find("board");
const filter = find("class");
const lines = new Map(); // entry id → line of the board, as the server sent it
let details = null;
let leader = null;
let asking = 0;

const chosenClass = () => filter?.value ?? board.dataset.class;
const shown = () => standings([...lines.values()], chosenClass(), words);

function render({ marks }) {
  const now = shown();
  show(now, marks);
  for (const one of now) decorate(one, now);
  announce(now[0], marks);
  board.dispatchEvent(new Event("rendered"));
}

/** What the details add to a line: penalties not yet confirmed, and the expected rank of a crew under way. */
function decorate(one, all) {
  if (!details) return;
  const row = rowOf(one.entryId);
  const expected = one.statusName === "running" ? rankOf(one.entryId, all.filter(isIn).map((other) => other.entryId)) : null;
  row.toggleAttribute("data-inside", Boolean(details.expected?.entries[one.entryId]?.underWay));
  const said = expected && { ...expected, age: ageOf(one.entryId) };
  note(row, "virtual", said && say(words.virtual, said), said && say(words.virtualHint, said));
  note(row, "pending", isPending(details, one.entryId) && one.penalty && words.pending, words.pendingHint);
}

const isIn = (one) => IN.includes(one.statusName);
const rankOf = (entryId, ids) => (details.controls.length ? virtualRank : expectedRank)(details, entryId, ids);

/** How old what is known of an entry is. */
function ageOf(entryId) {
  const seen = details.entries[entryId]?.seen;
  return seen ? age(details.now - seen) : "?";
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
  const now = shown();
  for (const one of now) decorate(one, now);
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

new Feed(showState).follow(board.dataset.topic, {
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
setInterval(() => soon(0), RENEW_MS);
