// The safety desk: keys for its acts, and a cue that needs no sound, though it gives one where the browser lets it.

const alerts = () => [...document.querySelectorAll(".safety-alert")];
const title = document.title;
let known = alerts().filter((one) => "waiting" in one.dataset).length;
let chosen = "";

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches(".safety-alert input")) {
    event.preventDefault(); // else the form's first button would be pressed
    event.target.form.querySelector(`[data-key="${event.target.dataset.then ?? "n"}"]`).click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "j" || event.key === "k") choose(event.key === "j" ? 1 : -1);
  else if (!press(event.key)) return;
  event.preventDefault();
});

document.addEventListener("focusin", (event) => { chosen = event.target.closest(".safety-alert")?.dataset.alert ?? chosen; });

function current() {
  const all = alerts();
  return all.find((one) => one.dataset.alert === chosen) ?? all[0];
}

function choose(step) {
  const all = alerts();
  if (!all.length) return;
  const at = all.findIndex((one) => one.dataset.alert === chosen);
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  chosen = next.dataset.alert;
  next.focus();
}

/** Press the button of a key in the chosen alert; what needs words first goes to their field. */
function press(key) {
  const button = current()?.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!button) return false;
  const field = button.form.elements.text;
  field.dataset.then = key;
  if ((key === "c" || key === "n") && !field.value.trim()) field.focus();
  else button.click();
  return true;
}

setInterval(() => {
  const waiting = alerts().filter((one) => "waiting" in one.dataset).length;
  document.title = waiting ? `${Math.floor(Date.now() / 1000) % 2 ? "⚠" : "▲"} ${waiting} · ${title}` : title;
  for (const one of alerts()) one.classList.toggle("is-chosen", one.dataset.alert === chosen);
  document.body.classList.toggle("safety-waiting", waiting > 0);
  if (waiting > known) beep();
  known = waiting;
}, 1000);

function beep() {
  try {
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    tone.frequency.value = 880;
    tone.connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.4);
  } catch { /* the page flashes all the same */ }
}
