// The page without a network shows links only to what is kept on this device, and goes on by itself when the network is back.
const list = document.querySelector("[data-saved-pages]");

async function kept() {
  const reader = await (await (await caches.open("linli-notes")).match("/reader"))?.text();
  if (!reader) return [];
  return (await (await caches.open(`linli-pages-${reader}`)).keys()).map((request) => new URL(request.url).pathname);
}

async function show() {
  const paths = await kept();
  for (const link of list.querySelectorAll("a")) link.hidden = !paths.includes(new URL(link.href).pathname);
  list.hidden = ![...list.querySelectorAll("a")].some((link) => !link.hidden);
}

if (list && "caches" in window) show();
// After a form that may have arrived, the person looks first and decides.
if (!("unsure" in document.documentElement.dataset)) window.addEventListener("online", () => window.location.reload(), { once: true });
