// The same crews as a list: for keyboards and screen readers as much as for finding somebody.

import { age, element, find, say, words } from "../page.mjs";
import { isStale } from "./crews.mjs";

const held = new Map(); // entry id → list item

/** Write the list; `choose(entryId)` is called for the crew whose button is pressed. */
export function writeList(crews, now, choose) {
  const shown = crews.shown();
  const items = shown.map((crew) => fill(itemOf(crew, choose), crew, crews.followed, now));
  const list = find("crews");
  items.forEach((item, n) => list.children[n] !== item && list.insertBefore(item, list.children[n] ?? null));
  while (list.children.length > items.length) list.lastElementChild.remove();
}

/** Scroll the list to a crew. */
export const showInList = (entryId) => held.get(entryId)?.scrollIntoView({ block: "nearest" });

function itemOf(crew, choose) {
  if (held.has(crew.entryId)) return held.get(crew.entryId);
  const button = element("button", { type: "button", className: "crew-button" },
    element("span", { className: "race-number", textContent: crew.raceNumber }),
    element("span", { className: "person" }, element("span", { className: "name", textContent: crew.crew || "—" }), element("span", { className: "about", textContent: [crew.classCode, crew.vehicle].filter(Boolean).join(" · ") })),
    element("span", { className: "reading" }, element("span", { className: "pace" }), element("span", { className: "seen" })),
  );
  button.addEventListener("click", () => choose(crew.entryId));
  button.style.setProperty("--crew", crew.colour);
  const item = element("li", {}, button);
  item.dataset.entry = crew.entryId;
  held.set(crew.entryId, item);
  return item;
}

function fill(item, crew, followed, now) {
  const button = item.firstElementChild;
  button.ariaPressed = String(crew.entryId === followed);
  button.ariaDescription = say(words.follow, { number: crew.raceNumber });
  item.dataset.state = !crew.at ? "unseen" : isStale(crew, now) ? "stale" : "fresh";
  if (crew.at) Object.assign(item.dataset, { lat: crew.at.lat.toFixed(5), lon: crew.at.lon.toFixed(5) });
  write(button, ".pace", crew.at && !crew.at.said && item.dataset.state === "fresh" ? say(words.speed, { n: Math.round(crew.at.speed ?? 0) }) : "");
  write(button, ".seen", crew.at ? seenText(crew, now) : words.unseen);
  return item;
}

const seenText = (crew, now) => crew.at.said ?? say(words.ago, { age: age(now - crew.at.ts) });

function write(button, selector, text) {
  const span = button.querySelector(selector);
  if (span.textContent !== text) span.textContent = text;
}
