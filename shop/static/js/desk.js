// Code fields, ticked rows, and counting by scanning. What the keyboard and scanner guns do outside of fields is in keys.js.
export function enhance(root) {
  for (const field of root.querySelectorAll("[data-scan]")) {
    if (field.dataset.started) continue;
    field.dataset.started = "yes";
    field.addEventListener("focus", () => field.select());
    if (field === document.activeElement && field.value === field.defaultValue) field.select();
    field.addEventListener("change", () => { field.value = scanned(field.value); });
  }

  for (const all of root.querySelectorAll("[data-select-all]")) {
    all.hidden = false;
    if (all.dataset.started) continue;
    all.dataset.started = "yes";
    all.addEventListener("change", () => {
      for (const tick of all.closest("table").querySelectorAll("[data-row-tick]")) tick.checked = all.checked;
      changed(all.closest("form"));
    });
  }
  for (const bar of root.querySelectorAll("[data-bulk]")) count(bar.closest("form"));
  for (const form of root.querySelectorAll("form[data-tick-by-scan]")) countByScanning(form);
}

// A code as it was meant: an input method between scanner and field makes L1。V… of L1.V…, and pages add marks that nobody sees.
// Words stay as they were typed. The server reads codes in the same way, in shop/kernel/identifiers.py.
function scanned(text) {
  const trimmed = text.trim();
  const code = trimmed.replace(/[。，、]/g, ".").normalize("NFKC").replace(/\p{Cf}/gu, "").replace(/[\p{Pd}\u2212]/gu, "-");
  return /^[\x21-\x7e]+$/.test(code) ? code : trimmed;
}

// A gun may press Enter once more: an empty code field asks for nothing.
document.addEventListener("submit", (event) => {
  const field = "notEmpty" in event.target.dataset ? event.target.querySelector("[data-scan]") : null;
  if (!field || field.value.trim()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  field.focus();
}, true);

function changed(form) {
  count(form);
  if (form && "ticksInAddress" in form.dataset) keepInAddress(form);
}

function count(form) {
  if (!form) return;
  const ticks = [...form.querySelectorAll("[data-row-tick]")];
  const number = ticks.filter((tick) => tick.checked).length + form.querySelectorAll("[data-ticked-elsewhere]").length;
  for (const place of form.querySelectorAll("[data-bulk-count]")) place.textContent = String(number);
  for (const bar of form.querySelectorAll("[data-bulk]")) bar.classList.toggle("is-active", number > 0);
  const all = form.querySelector("[data-select-all]");
  const here = ticks.filter((tick) => tick.checked).length;
  if (all) { all.checked = here > 0 && here === ticks.length; all.indeterminate = here > 0 && here < ticks.length; }
}

// Ticks stand in the address, so that they survive sorting, the next page, Back and a reload.
function keepInAddress(form) {
  const ticked = [...new FormData(form).getAll("ticked")];
  const renew = (address) => {
    const url = new URL(address, location.href);
    url.searchParams.delete("ticked");
    for (const number of ticked) url.searchParams.append("ticked", number);
    return url;
  };
  history.replaceState(history.state, "", renew(location.href));
  for (const link of document.querySelectorAll("main .sort-link, main .pager a")) link.href = renew(link.href);
}

document.addEventListener("change", (event) => { if (event.target.matches("[data-row-tick]")) changed(event.target.closest("form")); });

// A batch is counted by scanning its labels: the first scan takes all ticks off, from then on what was scanned is here.
function countByScanning(form) {
  if (form.dataset.started) return;
  form.dataset.started = "yes";
  form.hidden = false;
  const field = form.querySelector("[data-scan]");
  const said = form.querySelector("[data-said]");
  const ticks = [...document.querySelectorAll(`#${form.dataset.tickByScan} [data-here]`)];
  let begun = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const number = scanned(field.value).toUpperCase().replace(/^#/, "");
    const tick = ticks.find((one) => one.value.toUpperCase() === number);
    field.value = "";
    field.focus();
    said.className = tick ? "good" : "bad";
    if (!tick) { said.textContent = form.dataset.unknown.replace("{number}", number); return; }
    if (!begun) for (const one of ticks) one.checked = false;
    begun = true;
    tick.checked = true;
    tick.closest("tr").classList.add("is-scanned");
    const here = ticks.filter((one) => one.checked).length;
    said.textContent = form.dataset.found.replace("{number}", number).replace("{here}", here).replace("{all}", ticks.length);
  });
}
