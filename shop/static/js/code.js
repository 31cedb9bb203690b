// Copying a code, reading a text aloud, printing: buttons that only exist with script.
export function enhance(root) {
  for (const button of unhide(root, "[data-copy]", Boolean(navigator.clipboard))) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      say(button, button.dataset.copied, 2000);
    });
  }
  for (const button of unhide(root, "[data-print]", true)) button.addEventListener("click", () => window.print());
  for (const button of root.querySelectorAll("[data-read]")) whenItCanSpeak(() => offerReading(button));
}

function unhide(root, selector, possible) {
  const found = [...root.querySelectorAll(selector)].filter((button) => possible && button.hidden);
  for (const button of found) button.hidden = false;
  return found;
}

function say(button, words, milliseconds) {
  const label = button.querySelector("span");
  const before = label.textContent;
  button.dataset.idle ??= before;
  label.textContent = words;
  if (milliseconds) setTimeout(() => { label.textContent = before; }, milliseconds);
  return before;
}

// --- Reading aloud: only with a voice of the device itself, so that nothing on the page is sent anywhere; one sentence at a time, since
// browsers fall silent in long texts ---

function whenItCanSpeak(offer) {
  if (!("speechSynthesis" in window)) return;
  if (voice()) offer();
  else speechSynthesis.addEventListener("voiceschanged", () => { if (voice()) offer(); });
}

function voice() {
  const wanted = document.documentElement.lang.startsWith("zh") ? /^(zh|cmn)/i : /^en/i;
  return speechSynthesis.getVoices().find((one) => one.localService && wanted.test(one.lang));
}

function offerReading(button) {
  if (!button.hidden) return;
  button.hidden = false;
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
  const sentences = asSpoken(target.innerText);
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

// Codes figure by figure, amounts as people say them.
function asSpoken(text) {
  const unit = document.documentElement.lang.startsWith("zh") ? "元" : " yuan";
  return text
    .replace(/\b(\d{3}) (\d{3})\b/g, (code) => [...code.replace(" ", "")].join(" "))
    .replace(/[¥￥]\s*(\d[\d,]*)\s*(\.\d+)?/g, (_all, yuan, fen = "") => `${yuan.replaceAll(",", "")}${fen}${unit}`)
    .split(/\n+|(?<=[。！？；])/)
    .map((sentence) => sentence.trim())
    .filter(Boolean);
}

window.addEventListener("pagehide", stopReading);
