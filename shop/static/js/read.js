// Reading aloud what a person needs of a page: goods, sums, dates, codes. Only with a voice of the device itself, so that nothing on the
// page is sent anywhere; one sentence at a time, since browsers fall silent in long texts.
const IS_CHINESE = document.documentElement.lang.startsWith("zh");
const UNREAD = [
  "button, [role=button], .btn, input, select, textarea, nav, .filters, .more, .pager, .section-more", // what is pressed
  "[role=timer], .badge-count, .segment-count, .gallery-count, .qr, svg:not([role=img])", // what is seen and says nothing
  "[aria-hidden=true], [hidden], script, noscript, details:not([open]) > :not(summary)",
].join(", ");

export function enhance(root) {
  for (const button of root.querySelectorAll("[data-read]")) whenItCanSpeak(() => offerReading(button));
}

function say(button, words) {
  button.querySelector("span").textContent = words;
}

function whenItCanSpeak(offer) {
  if (!("speechSynthesis" in window)) return;
  if (voice()) offer();
  else speechSynthesis.addEventListener("voiceschanged", () => { if (voice()) offer(); });
}

function voice() {
  const wanted = IS_CHINESE ? /^(zh|cmn)/i : /^en/i;
  return speechSynthesis.getVoices().find((one) => one.localService && wanted.test(one.lang));
}

function offerReading(button) {
  if (!button.hidden) return;
  button.hidden = false;
  button.dataset.idle = button.querySelector("span").textContent;
  button.addEventListener("click", () => read(button));
}

let reading = null;

function read(button) {
  const before = reading;
  stopReading();
  const target = document.getElementById(button.dataset.read);
  if (!target || before === button) return;
  reading = button;
  say(button, button.dataset.stop);
  button.setAttribute("aria-pressed", "true");
  const sentences = wordsOf(target);
  sentences.forEach((text, place) => {
    const speech = new SpeechSynthesisUtterance(text);
    speech.voice = voice();
    speech.lang = document.documentElement.lang;
    speech.rate = 0.9;
    if (place === sentences.length - 1) speech.onend = () => { if (reading === button) stopReading(); };
    speechSynthesis.speak(speech);
  });
}

function stopReading() {
  speechSynthesis.cancel();
  if (!reading) return;
  say(reading, reading.dataset.idle);
  reading.removeAttribute("aria-pressed");
  reading = null;
}

// --- What of a page is read: a sentence for each block that stands by itself, a fact with what it is the fact of. ---

function wordsOf(target) {
  const sentences = [];
  let words = "";
  const end = () => { if (words.trim()) sentences.push(words); words = ""; };
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) { words += node.data.replace(/\s+/g, " "); return; }
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(UNREAD)) return;
    if (node.dataset?.tellsHere) { end(); words = node.dataset.tellsHere; end(); return; } // how many of what
    if (node.matches("svg")) { words += `${node.getAttribute("aria-label")}: `; return; }
    const { display, visibility } = getComputedStyle(node);
    if (display === "none" || visibility === "hidden") return;
    const standsAlone = !display.startsWith("inline") && display !== "contents" && !node.matches(".price *, .visually-hidden, sup, sub, small");
    const isFact = node.matches("dd") && /\S/.test(words);
    if (node.matches("br") || (standsAlone && !isFact)) end();
    if (isFact) words += ": ";
    for (const child of node.childNodes) walk(child);
    if (standsAlone && !node.matches("dt")) end();
  };
  walk(target);
  end();
  return sentences.flatMap((text) => spoken(text).split(/(?<=[。！？；])/)).map((text) => text.trim()).filter((text) => /[\p{L}\p{N}]/u.test(text));
}

// --- How it is said. Numbers that count nothing are said figure by figure: codes, accounts, telephones, what orders are called. ---

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const figures = (text) => [...text.replace(/[^\dA-Z*]/g, "").replace(/\*+/g, "，")].join(" ").replaceAll(" ， ", ", ");
const yuan = (whole, fen) => `${whole.replaceAll(",", "")}${Number(fen ?? 0) ? `.${fen.replace(/0$/, "")}` : ""}${IS_CHINESE ? "元" : " yuan"}`;
const sign = (mark) => (!mark ? "" : mark === "+" ? (IS_CHINESE ? "收入" : "plus ") : IS_CHINESE ? "减" : "minus ");
const date = (year, month, day) => (IS_CHINESE ? `${year}年${Number(month)}月${Number(day)}日` : `${Number(day)} ${MONTHS[month - 1]} ${year}`);

const SAID = [
  [/[\u2212\u2013\uFE63\uFF0D](?=\s*[¥￥\d])/g, "-"], // one minus
  [/(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})/g, (_all, from, to) => `${from}${IS_CHINESE ? "到" : " to "}${to}`],
  [/(\d{4})-(\d{2})-(\d{2})/g, (_all, ...parts) => date(...parts)],
  [/([-+])?\s*[¥￥]\s*([-+])?\s*(\d[\d,]*)(?:\s*\.(\d{1,2}))?/g, (_all, before, within, whole, fen) => sign(before ?? within) + yuan(whole, fen)],
  [/(?<=元|yuan)\s*\/\s*/g, IS_CHINESE ? "每" : " per "],
  [/\s*×\s*(\d+)/g, (_all, count) => (IS_CHINESE ? `，数量${count}` : `, quantity ${count}`)],
  [/\b[A-Z]{1,2}\d{6}-[\dA-Z]{4,}(?:-\d+)?\b/g, figures],
  [/(?<![\d.,A-Za-z¥-])\d{3,4}[  -]\d{3,8}(?:[  -]\d{3,4})*(?![\d.,]|\s*(?:元|yuan))/g, figures],
  [/(?<![\d.,¥])\d{2,}\*+\d*|(?<![\d.,¥])\d{5,}(?![\d.,]|\s*(?:元|yuan|k?g\b|kWh))/g, figures],
  [/(?<=^|[\s，。(（])-(?=\d)/g, () => sign("-")],
  [/\s*[·|]\s*/g, IS_CHINESE ? "，" : ", "],
  [/[▸▾→←↑↓✓•]/g, " "],
  [/(?<=^|\s)\+(?=\s|$)/g, " "],
  [/\s+/g, " "],
];

function spoken(text) {
  return SAID.reduce((said, [found, how]) => said.replace(found, how), text.trim());
}

window.addEventListener("pagehide", stopReading);
