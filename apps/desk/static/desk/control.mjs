// Race control by keyboard: a letter leads to what it names. Nothing is done by a letter alone; Enter does it.

let chosen = -1;

// On a tablet the forms stand above the log: closed until they are wanted.
if (matchMedia("(max-width: 900px)").matches && !new URLSearchParams(location.search).has("do")) {
  for (const form of document.querySelectorAll(".control-form")) form.open = false;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest("input, textarea, select")) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "j" || event.key === "k") choose(event.key === "j" ? 1 : -1);
  else if (!lead(event.key)) return;
  event.preventDefault();
});

function lines() {
  return [...document.querySelectorAll("[data-line]")];
}

function choose(step) {
  const all = lines();
  if (!all.length) return;
  chosen = Math.min(Math.max(chosen + step, 0), all.length - 1);
  (all[chosen].querySelector("a.desk-button") ?? all[chosen]).focus();
}

/** Go where a key leads: into a field, to a button, or to the page a link opens; whether it leads anywhere. */
function lead(key) {
  const within = key === "u" ? lines()[Math.max(chosen, 0)] : document;
  const found = within?.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!found) return false;
  if (found.matches("summary")) {
    found.parentElement.open = true;
    found.parentElement.querySelector("input:not([type=hidden])").focus();
  } else if (found.matches("a")) found.click();
  else {
    const folded = found.closest("details:not([open])");
    if (folded) folded.open = true;
    found.focus();
  }
  return true;
}
