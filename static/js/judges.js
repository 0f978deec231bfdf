// Labelling by keyboard: 1, 2, 3 answer the question that is next, Enter saves, S skips, U takes the last label back.
(() => {
  const form = document.getElementById("label");
  if (!form) return;
  const questions = [...form.querySelectorAll("fieldset")];
  const open = () => questions.find((item) => !item.querySelector("input:checked"));
  const focusOn = (item) => {
    const target = item ? item.querySelector("input") : form.querySelector("[data-save]");
    if (target) target.focus({ preventScroll: true });
  };
  // A question that has the focus is answered anew; else the first one without an answer.
  const current = () => {
    const held = document.activeElement.closest("fieldset");
    return held && questions.includes(held) ? held : open();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("textarea, select")) return;
    if ("123".includes(event.key)) {
      const item = current();
      if (!item) return;
      event.preventDefault();
      item.querySelectorAll("input")[Number(event.key) - 1].checked = true;
      focusOn(open());
    } else if (event.key === "Enter" && !event.target.matches("button, a, summary")) {
      event.preventDefault();
      const left = open();
      if (left) focusOn(left);
      else form.requestSubmit(form.querySelector("[data-save]"));
    } else if (event.key === "s" || event.key === "u") {
      const button = document.querySelector(event.key === "s" ? "[data-skip]" : "[data-undo]");
      if (button) button.click();
    }
  });
  form.addEventListener("change", () => { if (!open()) focusOn(null); });
  focusOn(open());
})();
