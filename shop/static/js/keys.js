// Consoles by keyboard and by scanner gun. A gun is a keyboard that types fast and ends with Enter: keys that are not meant
// for a field wait a moment, and only then it is known whether they were a scan, the beginning of typing, or a shortcut.
const PAUSE = 60; // milliseconds; guns need 5 to 30 between two figures, fingers more than 80
const KEPT = "linli-keys";

let heard = "";
let timer = 0;

const dialog = document.querySelector("[data-keys]");
const scanField = () => document.querySelector("[data-scan]:not([disabled])");
const isOn = () => kept() !== "off";

// A browser may keep nothing for us: then the keys work, and what is chosen holds for this page.
let chosenHere = null;
function kept() {
  try {
    return chosenHere ?? localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
function keep(value) {
  chosenHere = value;
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    // Only for as long as the page stands.
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog?.open) return;
  if (takesText(event.target)) { joinHeard(event.target); enterMovesOn(event); return; }
  if (event.key === "Enter") {
    if (heard.length < 2 || !scanField()) return;
    event.preventDefault(); // the button that has the focus is not meant
    event.stopPropagation();
    deliver(take());
    return;
  }
  if (event.key.length !== 1 || event.key === " ") return;
  event.preventDefault();
  heard += event.key;
  clearTimeout(timer);
  timer = setTimeout(settle, PAUSE);
}, true);

// The field got the focus in the middle of a scan, as a page does that has just come: what was heard before belongs before the rest.
function joinHeard(field) {
  if (!heard || field !== scanField()) return;
  field.value = take() + (field.value === field.defaultValue ? "" : field.value);
  field.setSelectionRange(field.value.length, field.value.length);
}

function take() {
  clearTimeout(timer);
  const text = heard;
  heard = "";
  return text;
}

// A scan: it replaces what was in the field and is looked up at once.
function deliver(text) {
  const field = scanField();
  field.value = text;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  field.form.requestSubmit();
}

// No Enter came: one key may be a shortcut, anything else is typing that goes to the code field.
function settle() {
  const text = take();
  if (text.length === 1 && isOn() && shortcut(text)) return;
  const field = scanField();
  if (!field) return;
  field.focus();
  field.value = text;
}

function takesText(element) {
  return Boolean(element.closest?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=submit], [type=button])"));
}

// --- shortcuts ---

function shortcut(key) {
  if (key === "?") { showKeys(); return true; }
  if (key === "/") return focusOn(scanField() ?? document.querySelector(".filter-bar input:not([type=hidden])"));
  if (key === "j" || key === "k") return toRow(key === "j" ? 1 : -1);
  if (key === "x") return tickRow();
  const wanted = [...document.querySelectorAll("[data-key]")].find((element) => element.dataset.key === key);
  wanted?.click();
  return Boolean(wanted);
}

function focusOn(element) {
  element?.focus();
  return Boolean(element);
}

const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a, input:not([type=hidden])"));
const rowHere = () => document.activeElement?.closest("main tbody tr");

function toRow(step) {
  const all = rows();
  const here = all.indexOf(rowHere());
  const next = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step];
  next?.scrollIntoView({ block: "nearest" });
  return focusOn(next?.querySelector("a, input:not([type=hidden])"));
}

function tickRow() {
  const tick = rowHere()?.querySelector("[data-row-tick]");
  tick?.click();
  return Boolean(tick);
}

// --- Enter goes on to the next field; from the last one to the button. ---

function enterMovesOn(event) {
  const form = event.target.closest("form[data-enter-next]");
  if (event.key !== "Enter" || !form || event.target.matches("textarea")) return;
  event.preventDefault();
  const fields = [...form.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio])")];
  const next = fields[fields.indexOf(event.target) + 1];
  if (next) { next.focus(); next.select(); } else form.querySelector("[data-enter-last]")?.focus();
}

// A button that Enter is to press gets the focus only now: before, the Enter of a scan would have pressed it unheard.
const meant = document.querySelector("[data-focus-by-script]");
if (meant && !scanField()?.value) meant.focus({ preventScroll: true });

// --- the list of keys ---

function showKeys() {
  const list = dialog.querySelector(".keys-list");
  for (const line of list.querySelectorAll("[data-of-page]")) line.remove();
  for (const element of document.querySelectorAll("[data-key]")) {
    const line = document.createElement("div");
    line.dataset.ofPage = "";
    const key = line.appendChild(document.createElement("dt")).appendChild(document.createElement("kbd"));
    key.textContent = element.dataset.key;
    line.appendChild(document.createElement("dd")).textContent = element.getAttribute("aria-label") ?? element.querySelector("span")?.textContent ?? element.textContent;
    list.append(line);
  }
  dialog.showModal();
}

const show = document.querySelector("[data-keys-show]");
if (dialog?.showModal && show) {
  show.hidden = false;
  show.addEventListener("click", showKeys);
  const on = dialog.querySelector("[data-keys-on]");
  on.checked = isOn();
  on.addEventListener("change", () => keep(on.checked ? "on" : "off"));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
