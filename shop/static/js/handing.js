// The button that hands over: it names what is ticked, and hears nothing until the goods can have been read. Scanner guns press Enter
// twice, 60 to 450 ms apart, and the second one would hand over what nobody has seen. The server asks the same of its own clock.
const seenAt = new WeakMap();

export function enhance(root) {
  for (const form of root.querySelectorAll("form[data-hand-over]")) {
    if (form.dataset.started) continue;
    form.dataset.started = "yes";
    begin(form);
    form.addEventListener("change", () => name(form));
    name(form);
  }
}

const buttonOf = (form) => form.querySelector("[data-deaf]");

// The time counts while the page is in sight; a tab that was away, or a page that came back, is read anew.
function begin(form) {
  const button = buttonOf(form);
  if (!button || document.visibilityState !== "visible") return;
  seenAt.set(form, performance.now());
  button.classList.remove("is-deaf");
  void button.offsetWidth; // the strip that fills the button begins again
  button.style.setProperty("--deaf-for", `${button.dataset.deaf}ms`);
  button.classList.add("is-deaf");
  button.setAttribute("aria-disabled", "true");
  setTimeout(() => { if (!isDeaf(form)) hear(button); }, Number(button.dataset.deaf) + 20);
}

function hear(button) {
  button.classList.remove("is-deaf");
  button.removeAttribute("aria-disabled");
}

function isDeaf(form) {
  const since = seenAt.get(form);
  return since === undefined || performance.now() - since < Number(buttonOf(form)?.dataset.deaf ?? 0);
}

const forms = () => document.querySelectorAll("form[data-hand-over]");
document.addEventListener("visibilitychange", () => forms().forEach(begin));
window.addEventListener("pageshow", (event) => { if (event.persisted) forms().forEach(begin); });

document.addEventListener("submit", (event) => {
  if (!("handOver" in event.target.dataset)) return;
  const nothing = !event.target.querySelector("[name=sub_orders]:checked");
  if (!isDeaf(event.target) && !nothing) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// A key that is held down repeats itself: that is no second press.
document.addEventListener("keydown", (event) => {
  if (event.repeat && (event.key === "Enter" || event.key === " ") && event.target.closest?.("form[data-hand-over]")) event.preventDefault();
}, true);

function name(form) {
  const button = buttonOf(form);
  if (!button) return;
  const ticked = [...form.querySelectorAll("[name=sub_orders]:checked")];
  const pieces = ticked.reduce((sum, tick) => sum + Number(tick.dataset.rowPieces), 0);
  const { say, order, orders, piece, pieces: many, none } = button.dataset;
  const counted = (number, one, more) => (number === 1 ? one : more).replace("{n}", String(number));
  const words = say.replace("{orders}", counted(ticked.length, order, orders)).replace("{pieces}", counted(pieces, piece, many));
  button.querySelector("span").textContent = ticked.length ? words : none;
}
