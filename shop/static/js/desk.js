// The desk: a scanner gun types fast and ends with Enter; ticked rows are counted.
export function enhance(root) {
  for (const field of root.querySelectorAll("[data-scan]")) {
    if (field.dataset.started) continue;
    field.dataset.started = "yes";
    // Typing anywhere that is not a field goes to the scan field, so that a scan is never lost.
    document.addEventListener("keydown", (event) => {
      if (!field.isConnected || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
      if (event.target.closest("input, textarea, select, button, a, dialog, summary, [contenteditable]")) return;
      field.focus();
    });
    field.addEventListener("focus", () => field.select());
    // Full-width figures from a Chinese keyboard become plain ones.
    field.addEventListener("change", () => { field.value = field.value.normalize("NFKC").trim(); });
  }

  for (const all of root.querySelectorAll("[data-select-all]")) {
    all.hidden = false;
    if (all.dataset.started) continue;
    all.dataset.started = "yes";
    all.addEventListener("change", () => {
      for (const tick of all.closest("table").querySelectorAll("[data-row-tick]")) tick.checked = all.checked;
      count(all.closest("form"));
    });
  }
  for (const bar of root.querySelectorAll("[data-bulk]")) count(bar.closest("form"));
}

function count(form) {
  if (!form) return;
  const ticks = [...form.querySelectorAll("[data-row-tick]")];
  const number = ticks.filter((tick) => tick.checked).length;
  for (const place of form.querySelectorAll("[data-bulk-count]")) place.textContent = String(number);
  const all = form.querySelector("[data-select-all]");
  if (all) { all.checked = number > 0 && number === ticks.length; all.indeterminate = number > 0 && number < ticks.length; }
}

document.addEventListener("change", (event) => { if (event.target.matches("[data-row-tick]")) count(event.target.closest("form")); });
