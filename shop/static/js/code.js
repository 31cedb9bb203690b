// Copying a code, reading a text aloud, printing: buttons that only exist with script.
export function enhance(root) {
  for (const button of unhide(root, "[data-copy]", Boolean(navigator.clipboard))) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      say(button, button.dataset.copied, 2000);
    });
  }
  for (const button of unhide(root, "[data-print]", true)) button.addEventListener("click", () => window.print());
  for (const button of unhide(root, "[data-read]", "speechSynthesis" in window)) button.addEventListener("click", () => read(button));
}

function unhide(root, selector, possible) {
  const found = [...root.querySelectorAll(selector)].filter((button) => possible && button.hidden);
  for (const button of found) button.hidden = false;
  return found;
}

function say(button, words, milliseconds) {
  const label = button.querySelector("span");
  const before = label.textContent;
  label.textContent = words;
  if (milliseconds) setTimeout(() => { label.textContent = before; }, milliseconds);
  return before;
}

function read(button) {
  if (speechSynthesis.speaking) { speechSynthesis.cancel(); return; }
  const target = document.getElementById(button.dataset.read);
  if (!target) return;
  const speech = new SpeechSynthesisUtterance(target.innerText);
  speech.lang = document.documentElement.lang;
  speech.rate = 0.9;
  const before = say(button, button.dataset.stop);
  speech.onend = speech.onerror = () => say(button, before);
  speechSynthesis.speak(speech);
}
