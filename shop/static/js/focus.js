// Where a person was on the page, kept when a part of it is swapped: on the same control, else on what stands next to it, else on the
// heading of its part. A swapped control would hand the focus to the page itself, and the whole way back would be walked by Tab.
const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
const ACTS = "button, [role=button], input[type=submit], input[type=checkbox], input[type=radio]";
const HEADINGS = "h1, h2, h3";
let kept = null;
let earlier = null;

const isSeen = (element) => element.getClientRects().length > 0;
const isOnPage = (element) => Boolean(element?.isConnected && element !== document.body && element !== document.documentElement);

// What a control is, whatever changes around it: its id, where it leads, or which one it is of a form about the same thing.
function nameOf(control) {
  if (control.id) return `#${control.id}`;
  if (!control.form) return `${control.localName} ${control.getAttribute("href") ?? control.textContent.trim()}`;
  const about = [...control.form.querySelectorAll("input[type=hidden]:not([name=csrf_token])")].map(({ name, value }) => `${name}=${value}`);
  const others = [...control.form.elements].filter((one) => one.type !== "hidden");
  return ["form", control.form.getAttribute("action"), ...about, others.indexOf(control)].join(" ");
}

// Every control of a part by its name; where two have one name, the second is called so.
function named(root) {
  const found = new Map();
  for (const control of root.querySelectorAll(CONTROLS)) {
    if (!isSeen(control)) continue;
    const name = nameOf(control);
    let times = 1;
    while (found.has(`${name} ${times}`)) times += 1;
    found.set(`${name} ${times}`, control);
  }
  return found;
}

const textOf = (heading) => heading.id || heading.textContent.trim();

function remember(swap) {
  const here = document.activeElement;
  if (!isOnPage(here)) return;
  const controls = named(document);
  const name = [...controls].find(([, control]) => control === here)?.[0];
  const before = (other) => Boolean(here.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_PRECEDING);
  kept = {
    here, name,
    around: [...named(here.closest("section, article, fieldset, main") ?? document).keys()],
    headings: [...document.querySelectorAll(HEADINGS)].filter((heading) => heading === here || before(heading)).map(textOf).reverse(),
    lastOfList: swap.requestConfig?.elt?.getAttribute?.("hx-swap")?.startsWith("beforeend") ? swap.target.lastElementChild : null,
  };
}

function goBack() {
  if (!kept || isOnPage(document.activeElement)) return;
  const place = sameControl() ?? firstNew() ?? neighbour() ?? heading();
  place?.focus({ preventScroll: place.matches(CONTROLS) });
}

const canTakeIt = (control) => control && !control.disabled && control !== kept.here;

function sameControl() {
  const control = named(document).get(kept.name);
  if (!control || canTakeIt(control)) return control;
  return [...(control.form?.elements ?? [])].find((other) => other.type !== "hidden" && isSeen(other) && canTakeIt(other));
}

// "More": on to what has come.
function firstNew() {
  return kept.lastOfList?.nextElementSibling?.querySelector(CONTROLS);
}

// What was pressed is gone. A second press must not act on something else: links and fields only.
function neighbour() {
  const now = named(document);
  const place = kept.around.indexOf(kept.name);
  const order = [...kept.around.slice(place + 1), ...kept.around.slice(0, Math.max(place, 0)).reverse()];
  return order.map((name) => now.get(name)).find((control) => canTakeIt(control) && !control.matches(ACTS));
}

function heading() {
  const now = [...document.querySelectorAll(HEADINGS)].filter(isSeen);
  const found = kept.headings.map((text) => now.find((one) => textOf(one) === text)).find(Boolean) ?? document.querySelector("main");
  if (found && !found.hasAttribute("tabindex")) found.tabIndex = -1;
  return found;
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => { kept = null; remember(detail); });
for (const moment of ["htmx:afterSwap", "htmx:afterSettle"]) document.addEventListener(moment, goBack);

// A message that is put away gives the focus back to where it was before the message took it.
document.addEventListener("focusin", ({ target }) => { if (!target.closest(".said, .toasts")) earlier = target; });
document.addEventListener("linli:leaving", ({ target }) => {
  if (!target.contains(document.activeElement)) return;
  const place = isOnPage(earlier) ? earlier : document.querySelector("main");
  place?.focus({ preventScroll: true });
});
