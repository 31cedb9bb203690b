// A grid that is worked in like a spreadsheet: a pasted block fills the cells from the first one on, Enter and the arrows move up and
// down, and what was changed is marked. Each cell is an ordinary field: without script they are typed one by one.
const form = document.querySelector("[data-grid]");
const rows = form ? [...form.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll(".grid-cell")]) : [];

function placeOf(cell) {
  const row = rows.findIndex((cells) => cells.includes(cell));
  return row < 0 ? undefined : [row, rows[row].indexOf(cell)];
}

const mark = (cell) => cell.classList.toggle("is-changed", cell.value !== cell.previousElementSibling.value);

form?.addEventListener("input", (event) => { if (event.target.classList.contains("grid-cell")) mark(event.target); });

form?.addEventListener("paste", (event) => {
  const place = placeOf(event.target);
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!place || !/[\t\n]/.test(text.trimEnd())) return;
  event.preventDefault();
  const lines = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");
  lines.forEach((line, down) => line.split("\t").forEach((value, right) => {
    const cell = rows[place[0] + down]?.[place[1] + right];
    if (!cell) return;
    cell.value = value.trim();
    mark(cell);
  }));
});

form?.addEventListener("keydown", (event) => {
  const place = placeOf(event.target);
  const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!place || !step || event.isComposing) return;
  event.preventDefault();
  event.stopPropagation();
  const cell = rows[place[0] + step]?.[place[1]];
  cell?.focus();
  cell?.select();
}, true);
