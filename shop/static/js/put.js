// Into the cart without leaving the page or the place on it. Without script, or when this script fails, the form is sent as ever.
const SHOWN_FOR = 6000;
const UNDO_FOR = 15_000;
const DONE_FOR = 1500;
// One after the other, so that what the bar says last is what is true last, however long an answer takes.
let before = Promise.resolve();

document.addEventListener("submit", (event) => {
  const { target: form, submitter: button } = event;
  if (!("stays" in form.dataset) || !button || ["cart", "now"].includes(button.value)) return;
  event.preventDefault();
  const values = { ...Object.fromEntries(new FormData(form)), [button.name]: button.value };
  before = before
    .then(() => window.htmx.ajax("POST", form.getAttribute("action"), { source: button, swap: "none", values }))
    .catch(() => {}); // told below
});

// Choosing a size asks from within the same form, and must leave its panel open.
document.addEventListener("htmx:afterRequest", ({ detail: { elt: button, successful, requestConfig } }) => {
  if (!successful || requestConfig.verb !== "post" || !("stays" in (button.form?.dataset ?? {}))) return;
  button.closest("dialog")?.close();
  button.classList.add("is-done");
  setTimeout(() => button.classList.remove("is-done"), DONE_FOR);
});

// Nobody knows whether what was sent has arrived, so nothing is sent again by itself.
for (const trouble of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(trouble, ({ detail: { requestConfig } }) => {
    const place = document.getElementById("said");
    if (!place || requestConfig.verb === "get") return;
    const line = document.createElement("p");
    line.className = "toast-line notice-danger";
    line.textContent = place.dataset.away;
    line.addEventListener("click", () => line.remove());
    place.replaceChildren(line);
    enhance(place);
  });
}

export function enhance(root) {
  const said = root.querySelector("#said > *");
  if (!said || said.dataset.started || document.documentElement.dataset.mode === "elder") return; // for an elder nothing goes away by itself
  said.dataset.started = "yes";
  // Whoever is in it, by keyboard or by mouse, is not done with it.
  const go = () => {
    if (said.matches(":hover, :focus-within")) setTimeout(go, SHOWN_FOR);
    else said.remove();
  };
  setTimeout(go, said.querySelector("form") ? UNDO_FOR : SHOWN_FOR);
}
