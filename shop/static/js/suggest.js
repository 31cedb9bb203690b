// The search field as a combobox, as the ARIA Authoring Practices have it: the focus stays in the field, arrows choose, Enter takes,
// Escape first closes and only then clears. Without script it is a plain field of a plain form.
export function enhance(root) {
  const field = root.querySelector(".search-input");
  const popup = root.querySelector("#search-suggestions");
  if (!field || !popup || field.dataset.combobox) return;
  field.dataset.combobox = "yes";
  let active = null;

  const list = () => popup.querySelector("[role=listbox]");
  const options = () => [...popup.querySelectorAll("[role=option]")];
  const isOpen = () => !popup.hidden;

  const choose = (option) => {
    active?.setAttribute("aria-selected", "false");
    active = option ?? null;
    active?.setAttribute("aria-selected", "true");
    active?.scrollIntoView({ block: "nearest" });
    if (active) field.setAttribute("aria-activedescendant", active.id);
    else field.removeAttribute("aria-activedescendant");
  };
  const open = (wanted) => {
    const can = wanted && Boolean(list()) && field.form.contains(document.activeElement);
    popup.hidden = !can;
    field.setAttribute("aria-expanded", String(can));
    if (can) field.setAttribute("aria-controls", list().id);
    else field.removeAttribute("aria-controls");
    choose(null);
  };
  const take = (option) => {
    field.value = option.textContent.trim();
    open(false);
    field.form.requestSubmit();
  };
  const keys = {
    ArrowDown: (step = 1) => {
      if (!isOpen()) { open(true); if (!isOpen()) return false; }
      const all = options();
      const here = all.indexOf(active);
      choose(all[(here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step + all.length) % all.length]);
      return true;
    },
    ArrowUp: () => keys.ArrowDown(-1),
    Enter: () => { if (!isOpen() || !active) return false; take(active); return true; },
    Escape: () => {
      if (isOpen()) { open(false); return true; }
      if (!field.value) return false;
      field.value = "";
      return true;
    },
  };

  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-haspopup", "listbox"]]) field.setAttribute(name, value);
  open(false);
  new MutationObserver(() => open(true)).observe(popup, { childList: true });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return; // the keys choose characters then
    if (keys[event.key]?.()) event.preventDefault();
  });
  field.addEventListener("click", () => open(true));
  field.form.addEventListener("focusout", ({ relatedTarget }) => { if (!field.form.contains(relatedTarget)) open(false); });
  field.form.addEventListener("submit", () => open(false));
  popup.addEventListener("mousedown", (event) => { if (event.target.closest("[role=option]")) event.preventDefault(); }); // the focus stays
  popup.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
}
