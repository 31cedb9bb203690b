// What every page has; each page works without it. The last part of the bundle: it tells the other parts what has come onto the page.
// Data attributes written by the server are the only input; nothing is ever written as HTML.
const arrived = (root) => document.dispatchEvent(new CustomEvent("linli:arrived", { detail: root }));

// --- A page that answers a refused form: going back to it, or loading it again, asks for the page the form was on and sends nothing twice. ---

if ("posted" in document.documentElement.dataset) {
  const from = document.referrer.startsWith(`${window.location.origin}/`) ? document.referrer : window.location.href;
  window.history.replaceState(window.history.state, "", from);
}

// --- One press, one request. The server guards itself; this only spares the person. ---

const guarded = new WeakSet();

document.addEventListener("submit", (event) => {
  const form = event.target;
  const refuse = () => { event.preventDefault(); event.stopImmediatePropagation(); };
  if (form.getAttribute("method") !== "post") return undefined;
  if ("themeChoice" in form.dataset) return chooseTheme(event);
  // Where the page stays, other buttons of the form may be pressed meanwhile.
  const pressed = "stays" in form.dataset && event.submitter ? event.submitter : form;
  if (guarded.has(pressed)) return refuse();
  guarded.add(pressed);
  // Only after the form data has been taken, so that the pressed button's own value is sent.
  setTimeout(() => setBusy(form, event.submitter, true));
  // An answer that is a file leaves the page standing: let go after a while.
  setTimeout(() => release(pressed), 10_000);
  return undefined;
}, true);

function setBusy(form, submitter, busy) {
  form.setAttribute("aria-busy", String(busy));
  const button = submitter ?? form.querySelector("button[type=submit]");
  if (!button) return;
  button.classList.toggle("is-busy", busy && button.classList.contains("btn"));
  button.setAttribute("aria-disabled", String(busy));
  const words = button.querySelector("span");
  if (!words || !button.dataset.busy) return;
  if (busy) button.dataset.idle = words.textContent;
  words.textContent = busy ? button.dataset.busy : button.dataset.idle ?? words.textContent;
}

function release(pressed) {
  guarded.delete(pressed);
  for (const button of pressed.elements ?? [pressed]) {
    if (button.form && button.getAttribute("aria-disabled") === "true") setBusy(button.form, button, false);
  }
}

// Back from the next page, or the answer of a fragment: press again as you like.
window.addEventListener("pageshow", (event) => { if (event.persisted) document.querySelectorAll("form").forEach(release); });
document.addEventListener("htmx:afterRequest", ({ detail: { elt } }) => {
  const form = elt.form ?? elt.closest?.("form");
  if (form) release("stays" in form.dataset ? elt : form);
});

// --- The cut-off clock: counts the seconds the server gave, by elapsed time only. A wrong clock on the phone changes
// nothing, and a phone that slept in a pocket is right again when it wakes. ---

const clocks = new Set();

document.addEventListener("linli:arrived", ({ detail: root }) => {
  for (const element of root.querySelectorAll("[data-countdown]")) {
    if (element.dataset.started) continue;
    element.dataset.started = "yes";
    clocks.add({ element, ends: Date.now() + Number(element.dataset.countdown) * 1000 });
  }
});

setInterval(() => {
  for (const clock of clocks) {
    const { element, ends } = clock;
    if (!element.isConnected) { clocks.delete(clock); continue; }
    const seconds = Math.max(0, Math.round((ends - Date.now()) / 1000));
    const large = element.classList.contains("cut-off");
    element.classList.toggle("is-soon", large && seconds > 0 && seconds < 1800);
    element.querySelector("[data-left]").textContent = seconds ? hoursMinutesSeconds(seconds, large) : element.dataset.ended;
    if (seconds) continue;
    element.querySelector(".cut-off-word")?.remove();
    element.classList.add("is-over");
    element.dispatchEvent(new CustomEvent("linli:ended", { bubbles: true }));
    clocks.delete(clock);
  }
}, 1000);

function hoursMinutesSeconds(seconds, withHours) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return withHours || hours ? `${two(hours)}:${rest}` : rest;
}

// --- Light or dark, at once; the form behind the buttons remembers it without leaving the page. ---

async function chooseTheme(event) {
  event.preventDefault();
  event.stopPropagation();
  const form = event.target;
  const theme = event.submitter?.value ?? "auto";
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-choice] [name=theme]")) button.setAttribute("aria-pressed", String(button.value === theme));
  const body = new URLSearchParams(new FormData(form));
  body.set("theme", theme);
  try {
    await fetch(form.getAttribute("action"), { method: "POST", body, redirect: "manual", credentials: "same-origin" });
  } catch {
    // Shown but not remembered: the next page asks the device again.
  }
}

arrived(document);
// Fragments that htmx puts in later get the same treatment.
document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) arrived(event.target.parentElement ?? event.target); });
