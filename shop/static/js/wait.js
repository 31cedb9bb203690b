// A button that has to wait for its clock: the server would refuse it before. Without script it is there at once, and the server explains.
export function enhance(root) {
  for (const button of root.querySelectorAll("[data-waits]")) {
    const place = document.getElementById(button.dataset.waits);
    if (!place || button.disabled) continue;
    button.disabled = true;
    place.addEventListener("linli:ended", () => {
      button.disabled = false;
      for (const words of place.querySelectorAll("[data-until-then]")) words.hidden = true;
    }, { once: true });
  }
}
