// A list that keeps itself fresh, while nobody is at work in it.

const EVERY_MS = 15_000;

setInterval(async () => {
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
}, EVERY_MS);
