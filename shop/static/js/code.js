// Copying a code, printing: buttons that only exist with script.
export function enhance(root) {
  for (const button of unhide(root, "[data-copy]", Boolean(navigator.clipboard))) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      say(button, button.dataset.copied, 2000);
      document.dispatchEvent(new CustomEvent("linli:say", { detail: button.dataset.copied }));
    });
  }
  for (const button of unhide(root, "[data-print]", true)) button.addEventListener("click", () => window.print());
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
