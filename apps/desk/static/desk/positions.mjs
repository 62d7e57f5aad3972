// Touch a fix for the beginning of a faulty window, another for its end.
const table = document.querySelector("[data-fixes]");
const form = document.querySelector("[data-flag]");

table?.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-at]");
  if (!row || !form) return;
  const { from, to } = form.elements;
  if (!from.value || to.value) [from.value, to.value] = [row.dataset.at, ""];
  else [from.value, to.value] = [from.value, row.dataset.at].sort();
  mark(from.value, to.value || from.value);
  if (to.value) form.elements.reason.focus();
});

function mark(low, high) {
  for (const row of table.tBodies[0].rows) row.classList.toggle("is-own", row.dataset.at >= low && row.dataset.at <= high);
}
