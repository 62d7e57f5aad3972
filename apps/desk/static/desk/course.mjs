// The map editor: a list of shapes, the map, and a form for the chosen one. Nothing is written until it is saved.

import { CourseMap, rounded } from "./coursemap.mjs";

const data = JSON.parse(document.getElementById("desk-data").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const list = document.querySelector(".desk-shapes");
const editor = document.querySelector("[data-editor]");
const proof = document.querySelector("[data-proof]");
const hint = document.querySelector("[data-hint]");
const SIGNS = { waypoint: "●", geofence: "⬠", zone: "⬢" };

let shapes = data.shapes;
let chosen = null; // a copy, until it is saved
let dirty = false;
let draft = null; // { tool, points } while something is drawn

const map = new CourseMap({ clicked, changed: () => { dirty = true; fillNumbers(); } });

const isNew = (shape) => !shape.id;
const mayEdit = (shape) => data.may[shape.kind === "zone" ? 1 : 0];
const shown = () => (chosen ? [...shapes.filter((one) => one.id !== chosen.id), chosen] : shapes);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// The list

function drawList() {
  list.replaceChildren(...shapes.map((shape) => {
    const button = element("button", { type: "button" }, element("span", {}, shape.shape === "line" ? "╱" : SIGNS[shape.kind]), element("span", {}, shape.label), element("small", {}, detail(shape)));
    if (chosen?.id === shape.id) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => choose(shape, true));
    return element("li", {}, button);
  }));
  document.querySelector("[data-none]").hidden = shapes.length > 0;
}

function detail(shape) {
  if (shape.kind === "zone") return `${shape.limit} km/h`;
  if (shape.kind === "waypoint") return `${shape.type} · ${shape.radius} m`;
  return data.fenceKinds.find(([value]) => value === shape.type)?.[1] ?? words.gate;
}

// Choosing and drawing

function choose(shape, go) {
  if (dirty && !confirm(words.unsaved)) return;
  chosen = shape && structuredClone(shape);
  dirty = false;
  redraw();
  if (chosen && go) map.goTo(chosen);
}

function redraw() {
  map.show(shown(), chosen, chosen !== null && mayEdit(chosen));
  drawList();
  drawForm();
}

function clicked(position, closes, id) {
  if (!draft) return void (id && id !== (chosen?.id ?? "new") && choose(shapes.find((shape) => shape.id === id), false));
  if (closes) return finish();
  draft.points.push(position);
  if (draft.points.length === { waypoint: 1, gate: 2 }[draft.tool]) return finish();
  map.drawing(draft.points, true);
}

function begin(tool) {
  if (dirty && !confirm(words.unsaved)) return;
  dirty = false;
  chosen = null;
  redraw();
  draft = { tool, points: [] };
  map.drawing([], true);
  tell({ waypoint: words.drawPoint, gate: words.drawLine }[tool] ?? words.drawArea);
  pressTools();
}

function finish() {
  const { tool, points } = draft;
  stopDrawing();
  const segment = (data.segments.find(([, , type]) => type === "special-stage") ?? data.segments[0])?.[0] ?? "";
  const common = { id: null, name: "", label: words[tool], coordinates: points, segment };
  chosen = {
    waypoint: { ...common, kind: "waypoint", shape: "point", type: "WPM", radius: 90, opening: null },
    gate: { ...common, kind: "geofence", shape: "line", type: "gate", bearing: null },
    area: { ...common, kind: "geofence", shape: "polygon", type: "area", bearing: null },
    zone: { ...common, kind: "zone", shape: "polygon", type: "", limit: 50, tolerance: 0 },
  }[tool];
  dirty = true;
  redraw();
  editor.querySelector("[name=name]")?.focus();
}

function stopDrawing() {
  draft = null;
  map.drawing([], false);
  tell("");
  pressTools();
}

function pressTools() {
  for (const button of document.querySelectorAll("[data-draw]")) button.setAttribute("aria-pressed", String(draft?.tool === button.dataset.draw));
}

for (const button of document.querySelectorAll("[data-draw]")) {
  button.addEventListener("click", () => (draft?.tool === button.dataset.draw ? stopDrawing() : begin(button.dataset.draw)));
}
document.addEventListener("keydown", (event) => {
  if (!draft) return;
  if (event.key === "Escape") stopDrawing();
  if (event.key === "Enter" && draft.points.length >= 3) finish();
});
addEventListener("beforeunload", (event) => dirty && event.preventDefault());

// The form of the chosen shape

const NUMBERS = { waypoint: ["radius", "opening", "order"], zone: ["limit", "tolerance"], geofence: [] };

function drawForm() {
  editor.hidden = chosen === null;
  if (!chosen) return editor.replaceChildren();
  const form = element("form", { className: "desk-form", noValidate: true });
  form.append(field("name", element("input", { value: chosen.name }), "grow"));
  if (chosen.kind === "waypoint") form.append(field("type", options(data.waypointTypes.map((one) => [one, one]), chosen.type)));
  if (chosen.kind === "geofence" && chosen.shape === "polygon") form.append(field("type", options(data.fenceKinds, chosen.type)));
  if (chosen.kind !== "geofence") form.append(field("segment", options(data.segments, chosen.segment)));
  for (const name of [...NUMBERS[chosen.kind], ...(chosen.shape === "line" ? ["bearing"] : [])]) {
    if (name === "order" && isNew(chosen)) continue;
    form.append(field(name, element("input", { value: chosen[name] ?? "", inputMode: "decimal" })));
  }
  if (chosen.shape === "pair") form.append(element("p", { className: "desk-quiet" }, words.pair));
  else form.append(field("coordinates", element("textarea", { value: asText(chosen.coordinates), rows: Math.min(8, chosen.coordinates.length) }), "grow"));
  form.append(...buttons());
  form.addEventListener("input", typed);
  form.addEventListener("submit", (event) => { event.preventDefault(); save(false); });
  const title = element("h2", {}, chosen.label || words[chosen.kind]);
  editor.replaceChildren(title, form, ...links());
  editor.parentElement.scrollTop = 0;
}

function buttons() {
  const cancel = element("button", { type: "button", className: "desk-button" }, words.cancel);
  cancel.addEventListener("click", () => { dirty = false; choose(null, false); });
  if (!mayEdit(chosen)) return [cancel];
  const reason = field("reason", element("input", { maxLength: 300 }), "grow");
  const help = element("p", { className: "desk-quiet grow" }, chosen.shape === "point" ? words.helpPoint : words.help);
  return [reason, element("button", { className: "desk-button primary" }, words.save), cancel, element("p", { className: "desk-errors grow", role: "alert", hidden: true }), help];
}

function links() {
  if (isNew(chosen)) return [];
  return [element("p", { className: "desk-small" }, element("a", { href: chosen.form }, words.form), " · ", element("a", { href: chosen.history }, words.history))];
}

function field(name, input, className = "") {
  const id = `shape-${name}`;
  Object.assign(input, { id, name });
  return element("div", { className }, element("label", { htmlFor: id }, words[name]), input);
}

function options(pairs, value) {
  const select = element("select");
  for (const [one, label] of pairs) select.add(new Option(label, one, false, one === value));
  return select;
}

function typed({ target }) {
  if (target.name === "reason") return;
  dirty = true;
  if (target.name === "coordinates") {
    const read = asPositions(target.value);
    target.setCustomValidity(read ? "" : "x");
    if (!read) return;
    chosen.coordinates = read;
  } else if (target.inputMode === "decimal") {
    chosen[target.name] = target.value.trim() === "" ? null : Number(target.value.replace(",", "."));
  } else {
    chosen[target.name] = target.value;
  }
  map.show(shown(), chosen, mayEdit(chosen));
}

/** What was dragged on the map, in the form. */
function fillNumbers() {
  const text = editor.querySelector("[name=coordinates]");
  if (text) text.value = asText(chosen.coordinates);
  const radius = editor.querySelector("[name=radius]");
  if (radius) radius.value = chosen.radius;
}

const asText = (positions) => positions.map(([lon, lat]) => `${lat}, ${lon}`).join("\n");

/** Positions of "lat, lon" lines; null while a line is none. */
function asPositions(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  const read = lines.map((line) => line.split(/[,;\s]+/).map(Number));
  return read.every((pair) => pair.length === 2 && pair.every(Number.isFinite)) && read.length ? read.map(([lat, lon]) => rounded([lon, lat])) : null;
}

// Saving

async function save(sure) {
  const reason = editor.querySelector("[name=reason]").value;
  const answer = await send(data.save, JSON.stringify({ shape: chosen, reason, sure }), "application/json");
  if (answer.body.confirm) return confirm(answer.body.confirm) && save(true);
  if (answer.status !== 200) return complain(answer.body.errors ?? { "": words.failed });
  const saved = answer.body.shape;
  shapes = [...shapes.filter((one) => one.id !== saved.id), saved].sort((a, b) => a.kind.localeCompare(b.kind) || (a.order ?? 0) - (b.order ?? 0) || a.label.localeCompare(b.label));
  dirty = false;
  choose(saved, false);
  tell(words.saved);
}

function complain(errors) {
  const place = editor.querySelector("[role=alert]");
  place.hidden = false;
  place.textContent = Object.entries(errors).map(([name, text]) => (words[name] ? `${words[name]}: ${text}` : text)).join(" ");
}

async function send(address, body, type) {
  const token = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1] ?? "";
  try {
    const response = await fetch(address, { method: "POST", body, headers: { "x-csrftoken": token, ...(type ? { "content-type": type } : {}) } });
    return { status: response.status, body: await response.json() };
  } catch {
    return { status: 0, body: {} };
  }
}

function tell(text) {
  hint.textContent = text;
}

// The proof by a recorded track

document.querySelector("#track").addEventListener("change", async ({ target }) => {
  const body = new FormData();
  body.append("track", target.files[0]);
  const answer = await send(data.track, body);
  target.value = "";
  proof.hidden = false;
  if (answer.status !== 200) return void proof.replaceChildren(element("p", { className: "desk-errors" }, answer.body.errors?.track ?? words.failed));
  proof.innerHTML = answer.body.html; // our own template, escaped there
  if (!dirty) choose(null, false); // its form would stand above the answer
  map.track(answer.body.line);
  proof.scrollIntoView({ block: "nearest" });
});

await map.open(document.getElementById("map"), shapes);
redraw();
