// When goods leave the cart, the next ones slide up under the finger: a press that comes at once was meant for what is gone.
const SETTLES_FOR = 800;
let isLeaving = false;
let slidAt = -SETTLES_FOR;

document.addEventListener("submit", (event) => {
  if (!("stepper" in event.target.dataset)) return;
  if (performance.now() - slidAt < SETTLES_FOR) { event.preventDefault(); event.stopImmediatePropagation(); return; }
  isLeaving = (event.submitter?.value || event.target.elements.typed?.value) === "0";
}, true);

document.addEventListener("htmx:afterSwap", () => {
  if (isLeaving) slidAt = performance.now();
  isLeaving = false;
});

// Minus and plus beside a number field; the field alone works without this.
export function enhance(root) {
  for (const box of root.querySelectorAll("[data-quantity]")) {
    if (box.dataset.started) continue;
    box.dataset.started = "yes";
    const input = box.querySelector("input");
    const buttons = [...box.querySelectorAll("[data-step]")];
    const limits = () => {
      const value = Number(input.value);
      for (const button of buttons) {
        const step = Number(button.dataset.step);
        button.disabled = step < 0 ? value + step < Number(input.min) : value + step > Number(input.max);
      }
    };
    for (const button of buttons) {
      button.hidden = false;
      button.addEventListener("click", () => {
        if (Number(button.dataset.step) > 0) input.stepUp(); else input.stepDown();
        input.dispatchEvent(new Event("change", { bubbles: true }));
      });
    }
    input.addEventListener("change", limits);
    input.addEventListener("input", limits);
    limits();
  }

  // In the cart the new amount shows at once; the server's answer decides.
  for (const form of root.querySelectorAll("form[data-stepper]")) {
    if (form.dataset.started) continue;
    form.dataset.started = "yes";
    form.addEventListener("submit", (event) => {
      const amount = event.submitter?.value;
      if (!event.defaultPrevented && amount) form.querySelector(".stepper-count").value = amount;
    });
    // A number that was typed is sent on leaving its field; what was there before comes back with Escape.
    const count = form.querySelector("input.stepper-count");
    count.addEventListener("focus", () => count.select());
    count.addEventListener("change", () => form.requestSubmit());
    count.addEventListener("keydown", (event) => { if (event.key === "Escape") { count.value = count.defaultValue; count.blur(); } });
  }
}
