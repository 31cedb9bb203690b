// Opens a panel as a modal dialog, so that focus stays in it and Escape closes it.
export function enhance(root) {
  for (const link of root.querySelectorAll("[data-sheet]")) {
    const sheet = document.getElementById(link.dataset.sheet);
    if (link.dataset.started || !sheet?.showModal) continue;
    link.dataset.started = "yes";
    link.addEventListener("click", (event) => { event.preventDefault(); sheet.showModal(); });
    link.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); sheet.showModal(); } });
    if (sheet.dataset.started) continue;
    sheet.dataset.started = "yes";
    sheet.addEventListener("click", (event) => {
      if (event.target === sheet || event.target.closest("[data-sheet-close]")) { event.preventDefault(); sheet.close(); }
    });
  }
}
