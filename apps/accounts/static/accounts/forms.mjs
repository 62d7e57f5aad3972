// Fields that Django's forms leave without a name for those who do not see the page.

function text(element) {
  return element?.textContent.trim().replace(/:$/, "");
}

/** The heading above a cell of a table of rows. */
function heading(field) {
  const cell = field.closest(".tabular td");
  return text(cell?.closest("table").querySelector("thead").rows[0].cells[cell.cellIndex]);
}

/** What is written beside a date or a time, with the name of both. */
function part(field) {
  const before = text(field.previousSibling) ?? "";
  return [text(field.closest(".form-row, td")?.querySelector("label, legend")) ?? heading(field), before].filter(Boolean).join(", ");
}

function named() {
  for (const field of document.querySelectorAll("main form :is(input, select, textarea):not([type=hidden])")) {
    if (field.labels?.length || field.ariaLabel) continue;
    const name = (field.closest(".datetime") && part(field)) || heading(field);
    if (name) field.ariaLabel = name;
  }
  for (const box of document.querySelectorAll(".select2-selection[role=combobox]")) {
    const field = box.closest(".related-widget-wrapper, td, .form-row")?.querySelector("select");
    box.removeAttribute("aria-labelledby");
    const name = text(field?.labels?.[0]) || field?.ariaLabel || "";
    for (const part of [box, box.querySelector("[role=textbox]")]) if (part) part.ariaLabel = name;
  }
}

addEventListener("load", () => setTimeout(named)); // after Django has dressed its fields
document.addEventListener("formset:added", () => setTimeout(named));
