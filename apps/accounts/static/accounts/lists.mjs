// A list: a choice in a filter opens it, and where the address says so it keeps itself fresh.

for (const choice of document.querySelectorAll("select[data-go]")) {
  choice.addEventListener("change", () => { location.search = choice.value; });
}

const EVERY_MS = 15_000;

if (new URLSearchParams(location.search).has("refresh")) setInterval(renew, EVERY_MS);

/** The rows as they are now, while nobody is at work in them. */
async function renew() {
  const shown = document.querySelector("#result_list");
  const busy = document.hidden || !shown || shown.querySelector("input:checked") || shown.contains(document.activeElement);
  if (busy) return;
  try {
    const response = await fetch(location.href, { signal: AbortSignal.timeout(8000) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = page.querySelector("#result_list");
    if (response.ok && next) shown.querySelector("tbody").replaceWith(next.querySelector("tbody"));
  } catch {
    // The next turn tries again; the rows stay as they are.
  }
}
