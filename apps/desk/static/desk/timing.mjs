// The timing desk: number, Enter, time, Enter. Keyboard first; a touch works as well.
import { Outbox } from "./outbox.mjs";

const data = JSON.parse(document.getElementById("desk-data").textContent);
const { words } = data;
const form = document.querySelector("[data-entry]");
const { number, time, source } = form.elements;
const said = document.getElementById("entry-said");
const body = document.querySelector("[data-rows]");
const offline = document.querySelector("[data-offline]");
const numbers = new Set(data.numbers);
const rows = new Map(data.rows.map((row) => [row.id, row]));
let ahead = data.now - Date.now(); // the server's clock before ours
let asked = ""; // what a first Enter was warned about

for (const [value, label] of data.sources) source.add(new Option(label, value));
source.value = localStorage.getItem("trm-desk-source") ?? data.sources[0][0];
if (!source.value) source.selectedIndex = 0;
source.addEventListener("change", () => localStorage.setItem("trm-desk-source", source.value));

const outbox = new Outbox({
  store: localStorage,
  name: data.store,
  send: (item) => post(data.write, item),
  changed: (written) => {
    for (const row of written) if (row) rows.set(row.id, row);
    draw();
  },
});

async function post(address, content) {
  const sent = Date.now();
  const response = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrftoken": token() },
    body: JSON.stringify(content),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = response.headers.get("content-type")?.includes("json") ? await response.json() : {};
  if (answer.now) ahead = answer.now - (sent + Date.now()) / 2;
  return { status: response.status, body: answer };
}

const token = () => document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1] ?? "";
const now = () => Date.now() + ahead;

function clock(ts) {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: data.zone, hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 1, hourCycle: "h23",
  });
  return parts.format(ts).replace(",", ".");
}

const readable = (text) => /^(\d{1,2}[:.h ]\d{1,2}([:. ]\d{1,2}([.,]\d{1,3})?)?|\d{3,4}|\d{5,6}([.,]\d{1,3})?)$/.test(text.trim());
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "");

function tell(text, bad = true) {
  said.textContent = text;
  said.classList.toggle("bad", bad && text !== "");
}

function submit(event) {
  event.preventDefault();
  const typed = number.value.trim();
  if (!typed && !time.value.trim()) return settleFirst();
  if (!numbers.has(Number(typed)) || typed === "") return refuse(number, fill(words.unknown, { number: typed || "–" }));
  if (!time.value.trim() && document.activeElement === number) return void time.focus();
  if (!readable(time.value)) return refuse(time, words.noTime);
  const before = [...rows.values()].find((row) => row.number === Number(typed) && row.state === "written");
  const key = `${typed} ${time.value}`;
  if (before && asked !== key) {
    asked = key;
    return refuse(time, fill(words.again, { number: typed, time: before.time }), false);
  }
  const item = { id: identity(), number: typed, time: time.value.trim(), control: data.control, source: source.value, at: Math.round(now()), accepted: asked === key ? ["again"] : [] };
  form.reset();
  source.value = item.source;
  asked = "";
  tell("");
  number.focus();
  outbox.add(item);
}

function identity() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // a page without TLS has no randomUUID
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

function refuse(field, text, select = true) {
  tell(text);
  field.focus();
  if (select) field.select();
}

/** Enter in an empty form: the oldest in doubt is written after all. */
function settleFirst() {
  const doubt = outbox.items().find((item) => item.state === "doubt");
  if (doubt) outbox.confirm(doubt.id);
}

function takeNow() {
  time.value = clock(now());
  time.focus();
}

form.addEventListener("submit", submit);
form.querySelector("[data-now]").addEventListener("click", takeNow);
form.addEventListener("input", () => { asked = ""; tell(""); });
form.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.toLowerCase() === "n" && event.target !== source) {
    event.preventDefault();
    takeNow();
  } else if (event.key === "Escape") {
    const open = outbox.items().find((item) => item.state === "doubt" || item.state === "refused");
    if (number.value || time.value) form.reset();
    else if (open) outbox.drop(open.id);
    tell("");
    number.focus();
  }
});

for (const button of document.querySelectorAll("[data-number]")) {
  button.addEventListener("click", () => {
    number.value = button.dataset.number;
    if (button.dataset.time) time.value = button.dataset.time;
    time.focus();
    time.select();
  });
}

// The list: what waits first, then what is written, newest first.

function draw() {
  const waiting = outbox.items().reverse();
  body.replaceChildren(...waiting.map(unsentLine), ...[...rows.values()].sort((a, b) => b.order - a.order).map(writtenLine));
  if (!body.children.length) body.append(emptyLine());
  const unsent = waiting.filter((item) => item.state === "waiting").length;
  offline.hidden = outbox.online && !outbox.signedOut;
  offline.textContent = outbox.signedOut ? words.signIn : fill(words.offline, { count: unsent });
}

let order = 0;
for (const row of [...rows.values()].reverse()) row.order = order++;
const setRow = rows.set.bind(rows);
rows.set = (id, row) => setRow(id, { ...row, order: rows.get(id)?.order ?? order++ });

function unsentLine(item) {
  const states = { waiting: outbox.online ? words.sending : words.waiting, doubt: words.inDoubt, refused: words.refused };
  const line = element("tr", { className: `is-${item.state}` });
  const state = element("td", {}, element("strong", {}, states[item.state]));
  for (const text of Object.values(item.doubts ?? {})) state.append(" ", text);
  if (item.control !== data.control) state.append(` (${words.otherControl})`);
  const acts = element("td", { className: "acts" });
  if (item.state === "doubt") acts.append(act(words.anyway, () => outbox.confirm(item.id)));
  if (item.state !== "waiting") acts.append(act(words.drop, () => outbox.drop(item.id)));
  const label = data.sources.find(([value]) => value === item.source)?.[1] ?? item.source;
  line.append(element("th", { className: "num" }, item.number), element("td", { className: "big" }, item.time), element("td", {}, label), state, acts);
  return line;
}

function writtenLine(row) {
  const line = element("tr", { className: `is-${row.state}` });
  line.dataset.id = row.id;
  const state = element("td", {}, words[row.state]);
  if (row.reason) state.append(`: ${row.reason}`);
  const acts = element("td", { className: "acts" });
  if (row.state === "written") acts.append(act(words.undo, () => undo(row)));
  line.append(element("th", { className: "num" }, String(row.number)), element("td", { className: "big" }, row.time), element("td", {}, row.source, " ", element("span", { className: "desk-quiet" }, row.author)), state, acts);
  return line;
}

function emptyLine() {
  return element("tr", {}, element("td", { colSpan: 5, className: "desk-quiet" }, words.none));
}

async function undo(row) {
  const reason = prompt(words.why, words.typing);
  if (!reason) return;
  try {
    const answer = await post(data.undo, { id: row.id, reason });
    if (answer.status === 200) rows.set(row.id, answer.body.row);
    else tell(answer.body.refused ?? words.signIn);
  } catch {
    tell(fill(words.offline, { count: 0 }));
  }
  draw();
  number.focus();
}

function act(label, does) {
  const button = element("button", { type: "button", className: "desk-button small" }, label);
  button.addEventListener("click", does);
  return button;
}

function element(name, values, ...children) {
  const made = Object.assign(document.createElement(name), values);
  made.append(...children);
  return made;
}

addEventListener("online", () => outbox.flush());
setInterval(() => outbox.items().some((item) => item.state === "waiting") && outbox.flush(), 3000);
draw();
outbox.flush();
