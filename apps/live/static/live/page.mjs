// What every live page does: its words, the state of the connection, ages in words, and texts with gaps to fill.

export const find = (id) => document.getElementById(id);

/** JSON the server put into the page under an id; null where it did not. */
export function given(id) {
  const element = find(id);
  return element ? JSON.parse(element.textContent) : null;
}

export const words = given("words") ?? {};
export const calm = matchMedia("(prefers-reduced-motion: reduce)");
document.documentElement.classList.add("scripted");
document.querySelector(".ways [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

/** "{n} km/h" with { n: 50 } → "50 km/h". */
export const say = (text, values) => text.replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);

export function showState(state) {
  const pill = find("connection");
  if (pill.dataset.state === state) return;
  pill.hidden = false;
  pill.dataset.state = state;
  pill.textContent = words[state];
}

const UNITS = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "m"], [0, "s"]];

/** A duration in its largest unit: "40 s", "3 min". */
export function age(ms, ages = words.ages) {
  const [unit, name] = UNITS.find(([least]) => ms >= least) ?? UNITS[3];
  return say(ages[name], { n: Math.max(0, Math.floor(ms / (unit || 1000))) });
}

/** An element with properties and children; `dataset`, `role` and aria by `attributes`. */
export function element(tag, properties = {}, ...children) {
  const { attributes = {}, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
