// New goods are saved as a draft while somebody types, and what is usual in a category stands in the empty fields.
// Without script the buttons do the same.
const PAUSE = 1200;
const form = document.querySelector("[data-draft]");
const usual = JSON.parse(form.dataset.draft);
const units = JSON.parse(form.dataset.units);
const said = form.querySelector("[data-draft-saved]");
let waiting;
let saving = false;
let again = false;

suggest();
form.addEventListener("input", (event) => {
  if (event.target.name === "category" || event.target.name === "selling") suggest();
  if (event.target.type === "file") return;
  clearTimeout(waiting);
  waiting = setTimeout(save, PAUSE);
});
form.addEventListener("submit", () => clearTimeout(waiting));

function suggest() {
  const words = usual[form.elements.category.value];
  if (!words) return;
  form.elements.shelf_life.placeholder = words.shelf_life;
  for (const name of ["selling", "storage", "is_agricultural", "is_returnable"]) {
    const empty = form.elements[name].options[0];
    const meant = [...form.elements[name].options].find((option) => option.value === words[name]);
    empty.dataset.plain ??= empty.textContent;
    empty.textContent = meant ? `${empty.dataset.plain}: ${meant.textContent}` : empty.dataset.plain;
  }
  form.elements.unit_zh.placeholder = units[form.elements.selling.value || words.selling];
  form.elements.grams.placeholder = (form.elements.selling.value || words.selling) === "weight" ? "500 g" : "";
}

// One after the other, so that an older word never overtakes a newer one.
async function save() {
  if (saving) { again = true; return; }
  saving = true;
  const sent = new FormData(form);
  sent.delete("picture");
  sent.set("do", "typing");
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: sent, headers: { Accept: "application/json" } });
    if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/json")) throw new Error("not saved");
    const told = await answer.json();
    form.setAttribute("action", told.address);
    if (window.location.pathname !== told.address) window.history.replaceState(null, "", told.address);
    said.textContent = told.saved;
  } catch {
    said.textContent = "";
  }
  saving = false;
  if (again) { again = false; save(); }
}
