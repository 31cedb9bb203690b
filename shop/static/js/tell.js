// The one place that tells what has changed to whoever does not see it: once, when it has settled, and politely.
// `data-tells` says what its part has come to; `data-tells-here` only where the focus is within. What is looked at again by itself is told
// when it says something else than before. Messages are told without their buttons. Other scripts send "linli:say".
const SETTLES_IN = 250;
const FORGOTTEN_AFTER = 10_000;
const place = document.createElement("p");
place.id = "told";
place.className = "visually-hidden";
place.setAttribute("role", "status");
place.setAttribute("aria-live", "polite");
document.body.append(place);

const met = new WeakSet();
const lastOf = new Map();
let waiting = [];
let timer = 0;
let forgetting = 0;

function tell(...texts) {
  waiting.push(...texts.filter(Boolean));
  clearTimeout(timer);
  timer = setTimeout(speak, SETTLES_IN);
}

function speak() {
  const text = [...new Set(waiting)].map((one) => one.trim().replace(/[.。]$/, "")).join(document.documentElement.lang.startsWith("zh") ? "。" : ". ");
  waiting = [];
  if (!text) return;
  place.textContent = "";
  setTimeout(() => { place.textContent = text; }, 50);
  clearTimeout(forgetting);
  forgetting = setTimeout(() => { place.textContent = ""; }, FORGOTTEN_AFTER);
}

const telling = () => [...document.querySelectorAll("[data-tells]")];

function look(isAsked) {
  const texts = [];
  telling().forEach((element, nth) => {
    const key = element.id || nth;
    const { tells } = element.dataset;
    if (!met.has(element) && tells && (isAsked || lastOf.get(key) !== tells)) texts.push(tells);
    met.add(element);
    lastOf.set(key, tells);
  });
  return texts;
}

function messages() {
  const lines = [...document.querySelectorAll("#said > *")].filter((line) => !met.has(line));
  for (const line of lines) met.add(line);
  return lines.map((line) => (line.querySelector("p") ?? line).textContent);
}

// What the page was on the way to is said once as it begins; all else on a new page is read there.
const begun = telling().filter((element) => element.closest("[hx-trigger^=every]")).map((element) => element.dataset.tells);
look(false);
tell(...begun);
messages();

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const isAsked = Boolean(detail.requestConfig?.triggeringEvent);
  const here = isAsked ? document.activeElement?.closest("[data-tells-here]")?.dataset.tellsHere : "";
  tell(...messages(), here, ...look(isAsked));
});
document.addEventListener("linli:say", ({ detail }) => tell(detail));
const said = document.getElementById("said");
if (said) new MutationObserver(() => tell(...messages())).observe(said, { childList: true });
