// A control marked data-auto-submit sends its form as soon as another value is chosen.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-auto-submit]")) event.target.form.requestSubmit();
});
