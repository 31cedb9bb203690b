// The last digit of a code sends its form, once everything else the form asks for is there. For an elder nothing sends itself.
export function enhance(root) {
  for (const field of root.querySelectorAll("[data-sends]")) {
    if (field.dataset.started) continue;
    field.dataset.started = "yes";
    let last = field.value;
    field.addEventListener("input", () => {
      const before = last;
      last = field.value;
      if (document.documentElement.dataset.mode === "elder" || digits(field).length !== Number(field.dataset.sends)) return;
      if (digits({ value: before }).length >= digits(field).length) return; // somebody mends what was typed
      const others = [...field.form.querySelectorAll("input.digits[required]")].filter((other) => other !== field && other.offsetParent);
      const empty = others.find((other) => digits(other).length < 6);
      if (empty) empty.focus(); else field.form.requestSubmit();
    });
  }
}

function digits(field) {
  return field.value.normalize("NFKC").replace(/\D/g, "");
}
