// What this browser searched for lately, offered again under the empty search field. Kept on the device only, and forgotten on request.
// Where there is nothing yet, what many people search for is offered instead.
const KEPT = "searches";
const MOST = 8;

const read = () => {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((text) => typeof text === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
};
const write = (texts) => {
  try {
    localStorage.setItem(KEPT, JSON.stringify(texts));
  } catch {
    // A private window: nothing is remembered.
  }
};

export function enhance(root) {
  const found = root.querySelector("[data-searched]");
  const searched = found?.dataset.searched;
  if (searched) {
    if (found.dataset.counts && read()[0] !== searched) count(found.dataset.counts, searched);
    write([searched, ...read().filter((text) => text !== searched)].slice(0, MOST));
  }
  for (const place of root.querySelectorAll("[data-recent-here]")) show(place);
  const field = root.querySelector(".search-input");
  const offers = root.querySelector("[data-recent]");
  if (!field || !offers || field.dataset.started) return;
  field.dataset.started = "yes";
  let asked = false;
  const offer = () => {
    if (field.value.trim()) return;
    if (read().length) show(offers, "suggestions recent");
    else if (!asked) {
      asked = true;
      window.htmx?.ajax("GET", field.getAttribute("hx-get"), { target: offers });
    }
  };
  field.addEventListener("focus", offer);
  field.addEventListener("input", offer);
  offers.addEventListener("htmx:afterSwap", offer); // for nothing typed the shop answers with what many search for
}

// One more person found goods by this word; who it was is not kept.
function count(action, q) {
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  fetch(action, { method: "POST", body: new URLSearchParams({ q, csrf_token: token ?? "" }), credentials: "same-origin", keepalive: true }).catch(() => {});
}

// On a page they are links. Below the field they are choices, which the field itself moves among (suggest.js).
function madeOf(text, nth, isChoice) {
  if (!isChoice) return Object.assign(document.createElement("a"), { className: "chip", href: `/search?${new URLSearchParams({ q: text })}`, textContent: text });
  const choice = Object.assign(document.createElement("li"), { className: "chip", id: `searched-${nth}`, textContent: text });
  choice.setAttribute("role", "option");
  choice.setAttribute("aria-selected", "false");
  return choice;
}

// Under a heading, made of elements: what was typed is never read as HTML.
function show(place, className = "") {
  const texts = read();
  place.replaceChildren();
  if (!texts.length) return;
  const forget = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-link", textContent: place.dataset.clear });
  forget.addEventListener("click", () => {
    write([]);
    place.closest("form")?.querySelector(".search-input")?.focus(); // the button that has the focus goes
    place.replaceChildren();
  });
  const head = Object.assign(document.createElement("p"), { className: "recent-head" });
  head.append(Object.assign(document.createElement("span"), { textContent: place.dataset.label }), forget);
  const list = Object.assign(document.createElement("ul"), { className: "recent-list" });
  const isChoice = Boolean(className);
  if (isChoice) for (const [name, value] of [["role", "listbox"], ["id", "searched"], ["aria-label", place.dataset.label]]) list.setAttribute(name, value);
  texts.forEach((text, nth) => {
    const made = madeOf(text, nth, isChoice);
    if (!isChoice) { const item = document.createElement("li"); item.append(made); list.append(item); } else list.append(made);
  });
  const box = Object.assign(document.createElement("div"), { className });
  box.append(head, list);
  place.append(box);
}

// Signing out leaves nothing of the person behind.
document.addEventListener("submit", (event) => {
  const path = new URL(event.target.getAttribute("action") ?? "", location).pathname;
  if (path === "/sign-out" || event.submitter?.name === "this_one_too") write([]);
});
