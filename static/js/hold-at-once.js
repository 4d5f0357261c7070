// Who follows a link to a time wants it: it is held as soon as the page is seen. Where this does not run there is a button.
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
