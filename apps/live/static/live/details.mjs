// What opens under a line: splits at every control, penalties with their evidence, and how old the data is.

import { age, element, say, words } from "./page.mjs";
import { splitRows } from "./splits.mjs";
import { clock, plus } from "./standings.mjs";

/** Write an entry's details into a cell. `shown` are the ids of the entries it is compared with. */
export function writeDetails(cell, details, entryId, shown) {
  const of = details?.entries[entryId] ?? {};
  const parts = [];
  if (details?.controls.length) parts.push(splitsTable(splitRows(details, entryId, shown)));
  parts.push(penaltyList(of.penalties ?? []));
  if (of.seen) parts.push(element("p", { className: "age", textContent: say(words.dataAge, { age: age(details.now - of.seen) }) }));
  cell.replaceChildren(element("div", { className: "opened-parts" }, ...parts));
}

function splitsTable(rows) {
  const section = element("section", {}, element("h3", { textContent: words.splits }));
  if (!rows.length) return append(section, element("p", { className: "age", textContent: words.noSplits }));
  const head = element("tr", {}, ...["control", "time", "gap", "rank"].map((name) => element("th", { scope: "col", textContent: words[name] })));
  const table = element("table", { className: "splits" }, element("thead", {}, head), element("tbody", {}, ...rows.map(splitRow)));
  return append(section, table);
}

function splitRow({ name, ms, gap, rank }) {
  const row = element("tr", {}, element("th", { scope: "row", textContent: name }));
  for (const text of [clock(ms, ms % 1000), plus(gap, gap % 1000), rank]) row.append(element("td", { textContent: text }));
  if (rank === 1) row.className = "best";
  return row;
}

function penaltyList(penalties) {
  const section = element("section", {}, element("h3", { textContent: words.penalties }));
  if (!penalties.length) return append(section, element("p", { className: "age", textContent: words.noPenalties }));
  return append(section, element("ul", { className: "penalties" }, ...penalties.map(penaltyItem)));
}

function penaltyItem(one) {
  const status = element("span", { className: `badge ${one.status}`, textContent: words.penaltyStatuses[one.status] ?? one.status });
  const item = element("li", {}, element("b", { textContent: plus(one.ms, one.ms % 1000) || "+0:00" }), ` ${words.penaltyTitles[one.type] ?? one.type} `, status);
  const where = [one.stage, one.article].filter(Boolean).join(" · ");
  item.append(element("span", { className: "where", textContent: where }));
  if (one.url) item.append(element("a", { href: one.url, textContent: words.evidence }));
  return item;
}

function append(parent, ...children) {
  parent.append(...children);
  return parent;
}
