// Asks before a form that says so is sent: in a sheet of our own. Without script, and in browsers without such sheets, the answer to the
// form asks the same. The focus begins on what does no harm, stays in the sheet, and goes back to the button that was pressed.
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!form.dataset.question || form.elements.sure?.value === form.dataset.sure || !window.HTMLDialogElement) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (document.querySelector("dialog.sure")) return; // pressed twice: it is asked already
  const sheet = questionSheet(form.dataset);
  sheet.addEventListener("close", () => {
    sheet.remove();
    if (sheet.returnValue !== "yes") return submitter?.focus();
    const sure = document.createElement("input");
    Object.assign(sure, { type: "hidden", name: "sure", value: form.dataset.sure });
    form.append(sure);
    form.requestSubmit(submitter);
    return undefined;
  });
  document.body.append(sheet);
  sheet.showModal();
}, true);

function questionSheet({ question, yes, no, friendly }) {
  const isGrave = friendly === undefined;
  const sheet = document.createElement("dialog");
  sheet.className = "sheet sure";
  sheet.setAttribute("role", "alertdialog");
  sheet.setAttribute("aria-modal", "true");
  const words = document.createElement("p");
  words.className = "sure-question";
  words.id = "sure-question";
  words.textContent = question;
  sheet.setAttribute("aria-labelledby", words.id);
  const answer = (label, kind, value, isFirst) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `btn btn-${kind} btn-big btn-wide`;
    button.textContent = label;
    button.autofocus = isFirst;
    button.addEventListener("click", () => sheet.close(value));
    return button;
  };
  sheet.addEventListener("click", ({ target }) => { if (target === sheet) sheet.close("no"); });
  const body = document.createElement("div");
  body.className = "sheet-body stack";
  body.append(words, answer(yes, isGrave ? "danger" : "primary", "yes", !isGrave), answer(no, "secondary", "no", isGrave));
  sheet.append(body);
  return sheet;
}
