// Marks the chosen card (older phones cannot do it in CSS) and lets messages be put away.
export function enhance(root) {
  mark();
  for (const button of root.querySelectorAll("[data-dismiss]")) {
    if (!button.hidden) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      button.parentElement.dispatchEvent(new CustomEvent("linli:leaving", { bubbles: true }));
      button.parentElement.remove();
    });
  }
}

function mark() {
  for (const card of document.querySelectorAll(".choice-card")) card.classList.toggle("is-chosen", card.querySelector("input").checked);
}

document.addEventListener("change", (event) => { if (event.target.closest(".choice-card")) mark(); });
