// Answers when the network does not. `release` (version, shell) is put before this by the server.
//
// Pages come from the network first. Of passes and orders the last answer is kept, for the person it was made for and nobody else:
// every page names the session it belongs to (meta "reader"), and a page that names another one, or none, empties what was kept.
const FILES = `linli-files-${release.version}`;
const PAGES = "linli-pages-";
const NOTES = "linli-notes";
const KEPT = /^\/(pickup|orders)(\/[^/]+)?$/;
const SIGN_OUT = "/sign-out";
const OFFLINE = "/offline";
const MOST_PAGES = 20;

// Grows when somebody signs out, so that an answer still on its way is not kept afterwards.
let departures = 0;

self.addEventListener("install", (event) => event.waitUntil(prepare()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("message", (event) => event.waitUntil(hear(event.data ?? {})));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate") {
    if (event.request.method === "GET") event.respondWith(page(event, url));
    else if (!isUpload(event.request)) event.respondWith(deed(event, url));
  } else if (event.request.method === "GET" && url.pathname.startsWith("/static/") && url.searchParams.has("v")) {
    event.respondWith(file(event.request, url));
  }
});

async function prepare() {
  const files = await caches.open(FILES);
  await files.addAll(release.shell);
  await keepOfflinePage(await note("look"));
  await self.skipWaiting();
}

async function takeOver() {
  await self.registration.navigationPreload?.enable();
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("linli-files-") && name !== FILES).map((name) => caches.delete(name)));
  await self.clients.claim();
}

// --- Pages ---

async function page(event, url) {
  const before = departures;
  try {
    const answer = (await event.preloadResponse) ?? (await fetch(event.request));
    if (answer.ok && !answer.redirected && KEPT.test(url.pathname) && !url.search) event.waitUntil(keep(url.pathname, answer.clone(), before));
    return answer;
  } catch (failure) {
    return (await saved(url)) ?? (await caches.match(OFFLINE)) ?? Promise.reject(failure);
  }
}

// A form that was sent. When no answer comes back, nobody here knows whether it arrived: that is what the page says.
async function deed(event, url) {
  if (url.pathname === SIGN_OUT) event.waitUntil(forget());
  try {
    return await fetch(event.request);
  } catch (failure) {
    const offline = await caches.match(OFFLINE);
    if (!offline) throw failure;
    return new Response(marked(await offline.text(), "data-unsure data-posted"), { headers: offline.headers });
  }
}

// Pictures and tables go past the worker: it would only hold them in memory.
function isUpload(request) {
  return (request.headers.get("Content-Type") ?? "").startsWith("multipart/");
}

function marked(text, marks) {
  return text.replace("<html ", `<html ${marks} `);
}

async function keep(path, answer, before) {
  const text = await answer.text();
  const reader = /<meta name="reader" content="([0-9a-f]+)"/.exec(text)?.[1];
  if (!reader || departures !== before) return;
  await become(reader);
  const headers = new Headers(answer.headers);
  for (const name of ["Content-Encoding", "Content-Length", "Set-Cookie"]) headers.delete(name);
  headers.set("X-Saved-At", new Date().toISOString());
  const pages = await caches.open(PAGES + reader);
  await pages.delete(path); // so that the order of the keys is the order of keeping
  await pages.put(path, new Response(text, { headers }));
  for (const old of (await pages.keys()).slice(0, -MOST_PAGES)) await pages.delete(old);
  if (departures !== before) await forget();
}

async function saved(url) {
  const reader = await note("reader");
  if (!reader || !(await caches.has(PAGES + reader))) return undefined;
  const answer = await (await caches.open(PAGES + reader)).match(url.pathname);
  if (!answer) return undefined;
  const text = await answer.text();
  return new Response(marked(text, `data-saved-at="${answer.headers.get("X-Saved-At")}"`), { headers: answer.headers });
}

// --- Files: an address with a version never changes what it means ---

async function file(request, url) {
  const files = await caches.open(FILES);
  const kept = await files.match(request);
  if (kept) return kept;
  try {
    const answer = await fetch(request);
    if (answer.ok && url.searchParams.get("v") === release.version) await files.put(request, answer.clone());
    return answer;
  } catch (failure) {
    const other = await files.match(request, { ignoreSearch: true }); // a saved page may be older than this release
    if (other) return other;
    throw failure;
  }
}

// --- Who reads, and in which dress ---

async function hear({ reader, look, path }) {
  if (reader === "") await forget();
  else if (reader) await become(reader);
  if (path && KEPT.test(path)) await fetchAndKeep(path);
  if (look && look !== (await note("look"))) {
    await write("look", look);
    await keepOfflinePage(look);
  }
}

// The page that started the worker came before it.
async function fetchAndKeep(path) {
  const before = departures;
  const answer = await fetch(path, { credentials: "same-origin", cache: "no-store" });
  if (answer.ok && !answer.redirected) await keep(path, answer, before);
}

async function become(reader) {
  if ((await note("reader")) !== reader) await write("reader", reader);
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PAGES) && name !== PAGES + reader).map((name) => caches.delete(name)));
}

async function forget() {
  departures += 1;
  await write("reader", "");
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PAGES)).map((name) => caches.delete(name)));
}

async function keepOfflinePage(look) {
  // Without cookies: nothing of a person gets onto a page that stays.
  const answer = await fetch(`${OFFLINE}?${look}`, { credentials: "omit", cache: "reload" });
  if (answer.ok) await (await caches.open(FILES)).put(OFFLINE, answer);
}

async function note(name) {
  const answer = await (await caches.open(NOTES)).match(`/${name}`);
  return answer ? answer.text() : "";
}

async function write(name, value) {
  await (await caches.open(NOTES)).put(`/${name}`, new Response(value));
}
