// Holds the time of a followed link as soon as the page is visible. Without scripts there is a button.
const form = document.querySelector("[data-hold-at-once]");
let asked = false;

const hold = () => {
  if (asked || document.visibilityState !== "visible") return;
  asked = true;
  form.requestSubmit(form.querySelector("button"));
};

if (form) {
  document.addEventListener("visibilitychange", hold);
  hold();
}
