// The shop as an app: starts the worker, tells it who reads and in which dress, says when a page is an old one, and offers to install.
const root = document.documentElement;
const reader = document.querySelector("meta[name=reader]");

const isFirstVisit = !navigator.serviceWorker?.controller;

if (root.dataset.savedAt && reader) showThatItIsOld(new Date(root.dataset.savedAt));
if ("serviceWorker" in navigator) {
  // Last of all: nobody waits for the worker, and what it fetches must not stand in the way of the page.
  const later = () => setTimeout(start, 1000);
  if (document.readyState === "complete") later();
  else window.addEventListener("load", later, { once: true });
}

async function start() {
  try {
    await navigator.serviceWorker.register("/sw.js", { scope: "/", updateViaCache: "none" });
    const { active } = await navigator.serviceWorker.ready;
    const look = new URLSearchParams({ locale: root.lang.slice(0, 2), mode: root.dataset.mode, theme: root.dataset.theme ?? "auto" });
    const path = isFirstVisit && !window.location.search ? window.location.pathname : undefined;
    active.postMessage({ reader: reader?.content, look: look.toString(), path });
  } catch {
    // A private window, or a phone without room: the shop works as before.
  }
}

function showThatItIsOld(at) {
  const city = { timeZone: "Asia/Shanghai" };
  const dayOf = (moment) => moment.toLocaleDateString("en", city);
  const isToday = dayOf(at) === dayOf(new Date());
  const day = isToday ? new Intl.RelativeTimeFormat(root.lang, { numeric: "auto" }).format(0, "day") : at.toLocaleDateString(root.lang, { month: "short", day: "numeric", ...city });
  const time = `${day} ${at.toLocaleTimeString(root.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...city })}`;
  const note = document.createElement("div");
  note.className = "notice notice-warn";
  note.setAttribute("role", "status");
  note.append(Object.assign(document.createElement("p"), { textContent: reader.dataset.saved.replace("{time}", time) }));
  document.querySelector("main")?.prepend(note);
  window.addEventListener("online", () => window.location.reload(), { once: true });
}

window.addEventListener("beforeinstallprompt", (event) => {
  const buttons = document.querySelectorAll("[data-install]");
  if (!buttons.length) return;
  event.preventDefault(); // the button of the page asks, when it is wanted
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await event.prompt();
      for (const other of buttons) other.hidden = true;
    }, { once: true });
  }
});
window.addEventListener("appinstalled", () => { for (const button of document.querySelectorAll("[data-install]")) button.hidden = true; });
