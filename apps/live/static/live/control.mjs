// Race control: alarms first, then whom to look after, and who is still to be swept.

import { Feed } from "./feed.mjs";
import { age, element, find, given, say, showState, words } from "./page.mjs";
import { alarms, counts, sweep, watched } from "./control_lines.mjs";

const AGES_MS = 5000;

const desk = find("desk");
const crews = new Map((given("crew-data") ?? []).map((crew) => [crew.entryId, crew]));
const lines = new Map(); // entry id → line
const stages = new Map(); // stage id → line of one that is held or stopped
const told = new Set(); // alarms that were announced
const title = document.title;

function render() {
  const all = [...lines.values()];
  renderAlarms(alarms(all));
  renderFrozen();
  renderSummary(all);
  fill(find("watch"), watched(all).map((line) => item(line)));
  fill(find("sweep"), sweep(all).map((line) => item(line)));
}

function renderAlarms(open) {
  find("alarms").hidden = open.length === 0;
  fillAlarms(open);
  for (const line of open.filter((one) => !told.has(keyOf(one)))) {
    told.add(keyOf(line));
    find("shout").textContent = say(words.sosOf, { number: line.raceNumber, crew: crews.get(line.entryId)?.crew ?? "" });
  }
  document.title = open.length ? `${words.sos} ${open[0].raceNumber} · ${title}` : title;
}

function renderFrozen() {
  const list = find("frozen");
  list.hidden = stages.size === 0;
  list.replaceChildren(...[...stages.values()].map((line) => {
    const since = say(words.since, { age: age(Date.now() - line.since) });
    const made = element("li", {}, element("strong", { textContent: say(words.frozen[line.frozen], { stage: line.stage, age: since }) }), line.why ? ` ${line.why}` : "");
    made.dataset.frozen = line.frozen;
    return made;
  }));
}

const keyOf = (line) => `${line.entryId} ${line.sos.ts}`;

/** A button somebody is about to press stays the same element. */
function fillAlarms(open) {
  const section = find("alarms");
  const held = new Map([...section.children].map((article) => [article.dataset.key, article]));
  section.replaceChildren(...open.map((line) => held.get(keyOf(line)) ?? alarm(line)));
  open.forEach((line, n) => {
    section.children[n].querySelector(".about").textContent = whereAndWhen(line.sos);
  });
}

const whereAndWhen = ({ lat, lon, ts }) => `${lat.toFixed(5)}, ${lon.toFixed(5)} · ${say(words.since, { age: age(Date.now() - ts) })}`;

function numberLink(line, text) {
  return element("a", { href: `${desk.dataset.map}?follow=${line.raceNumber}`, textContent: text });
}

function alarm(line) {
  const crew = crews.get(line.entryId);
  const button = element("button", { type: "button", className: "acknowledge", textContent: words.acknowledge });
  button.addEventListener("click", () => acknowledge(button, line));
  button.disabled = !desk.dataset.acknowledge;
  const made = element("article", { className: "alarm" },
    element("strong", { className: "sos", textContent: words.sos }),
    element("div", {}, element("b", {}, numberLink(line, `${line.raceNumber} ${crew?.crew ?? ""}`)), element("span", { className: "about" })),
    button,
  );
  made.dataset.key = keyOf(line);
  return made;
}

async function acknowledge(button, line) {
  button.disabled = true;
  const body = new URLSearchParams({ entry: line.entryId, alarm: line.sos.ts });
  const headers = { "X-CSRFToken": document.cookie.match(/csrftoken=([^;]+)/)?.[1] ?? "" };
  const answer = await fetch(desk.dataset.acknowledge, { method: "POST", body, headers }).catch(() => null);
  if (answer?.ok) return;
  button.disabled = false;
  find("announcement").textContent = words.notSaved;
}

function renderSummary(all) {
  const parts = Object.entries(counts(all)).filter(([, count]) => count);
  fill(find("summary"), parts.map(([state, count]) => {
    const part = element("li", {}, element("b", { textContent: count }), ` ${state === "sos" ? words.sos : words.states[state]}`);
    part.dataset.state = state;
    return part;
  }));
}

function item(line) {
  const crew = crews.get(line.entryId);
  const now = Date.now();
  const made = element("li", {},
    element("span", { className: "number" }, numberLink(line, line.raceNumber)),
    element("span", { className: "who" }, element("span", { className: "crew", textContent: crew?.crew ?? "" }), element("span", { className: "about", textContent: [line.classCode, line.stage, line.lastControl].filter(Boolean).join(" · ") })),
    element("span", { className: "reading" }, element("span", { className: "state", textContent: words.states[line.state] ?? line.state }), element("span", { className: "about", textContent: reading(line, now) })),
  );
  made.dataset.state = line.sos && !line.sos.seenAt ? "sos" : line.state;
  made.dataset.overdue = line.overdue;
  made.dataset.entry = line.entryId;
  return made;
}

function reading(line, now) {
  const parts = [];
  if (line.since && line.state !== "moving" && line.state !== "idle") parts.push(say(words.since, { age: age(now - line.since) }));
  else if (line.lastFix) parts.push(say(words.fix, { age: age(now - line.lastFix.ts) }));
  if (line.due && line.stage) parts.push(say(line.overdue ? words.overdue : words.due, { age: age(Math.abs(now - line.due)) }));
  for (const alert of line.alerts) parts.push(`⚠ ${words.alerts[alert.kind]}`);
  if (line.sos?.seenBy) parts.push(say(words.acknowledged, { name: line.sos.seenBy }));
  return parts.join(" · ");
}

function fill(list, items) {
  const empty = element("li", { className: "none", textContent: words.none });
  list.replaceChildren(...(items.length ? items : [empty]));
}

/** A line is of a crew, or of a stage that is held or stopped. */
function merge(news) {
  for (const line of news) {
    if (line.gone) lines.delete(line.key) || stages.delete(line.key);
    else if (line.frozen) stages.set(line.stageId, line);
    else lines.set(line.entryId, line);
  }
}

new Feed(showState).follow(desk.dataset.topic, {
  snapshot(all) {
    lines.clear();
    stages.clear();
    merge(all);
    render();
  },
  changes(news) {
    merge(news);
    render();
  },
});
setInterval(render, AGES_MS);
