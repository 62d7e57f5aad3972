// What every page of the desk does: its clock, pickers that need no button, and pages that keep themselves fresh.

document.querySelector(".desk-tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

for (const form of document.querySelectorAll("[data-autosubmit]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => confirm(form.dataset.confirm) || event.preventDefault());
}

for (const place of document.querySelectorAll("[data-clock]")) {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: place.dataset.clock, timeStyle: "medium", hourCycle: "h23" });
  const tick = () => { place.textContent = format.format(new Date()); };
  tick();
  setInterval(tick, 1000);
}

const fresh = document.querySelector("[data-refresh]");
if (fresh) {
  let last = Date.now();
  setInterval(async () => {
    const typed = [...fresh.querySelectorAll("input:not([type=hidden]), textarea")].some((one) => one.value !== one.defaultValue);
    const busy = document.hidden || typed || fresh.contains(document.activeElement?.closest("input, textarea, select"));
    if (!busy && (await renew(fresh))) last = Date.now();
    say(last);
  }, Number(fresh.dataset.refresh) * 1000);
}

/** Replace what is shown by what the server shows now; whether it answered. */
async function renew(shown) {
  try {
    const response = await fetch(location.href, { signal: AbortSignal.timeout(8000) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = page.querySelector("[data-refresh]");
    if (!response.ok || !next) return false;
    for (const one of shown.querySelectorAll("details[id]")) {
      const same = next.querySelector(`#${CSS.escape(one.id)}`);
      if (same) same.open = one.open;
    }
    const held = document.activeElement?.getAttribute?.("href");
    if (next.innerHTML !== shown.innerHTML) shown.replaceChildren(...next.childNodes);
    if (held) [...shown.querySelectorAll("a")].find((link) => link.getAttribute("href") === held)?.focus();
    return true;
  } catch {
    return false;
  }
}

function say(last) {
  const place = document.querySelector("[data-fresh]");
  if (!place) return;
  const age = Math.round((Date.now() - last) / 1000);
  place.dataset.state = age < 30 ? "live" : "old";
  place.textContent = age < 30 ? "●" : `○ ${age} s`;
}
