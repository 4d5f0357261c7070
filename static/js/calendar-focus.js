// Visits are drawn again after each change and would lose the focus. It is set on the same visit, else on the one
// after it, else on the calendar.
const VISITS = ".ec-event[data-href], #calendar-list a[data-dialog][href]";
const addressOf = (visit) => visit.dataset.href ?? visit.getAttribute("href");
let places = []; // addresses of the focused visit, of those after it and of those before it, nearest first
let isDone = false; // a form of the dialog was just saved

function keepPlace(visit) {
  const all = [...document.querySelectorAll(VISITS)];
  const at = all.indexOf(visit);
  places = [...all.slice(at), ...all.slice(0, at).reverse()].map(addressOf);
}

function restorePlace() {
  if (dialog?.open || document.activeElement !== document.body || !places.length) return;
  const drawn = new Map([...document.querySelectorAll(VISITS)].map((visit) => [addressOf(visit), visit]));
  const visit = drawn.get(places.find((address) => drawn.has(address)));
  const rest = document.querySelector(".ec-main") ?? document.getElementById("calendar-list");
  (visit ?? rest).focus({ preventScroll: !isDone });
  isDone = false;
}

if (dialog) {
  document.addEventListener("focusin", ({ target }) => {
    const visit = target.closest(VISITS);
    if (visit) keepPlace(visit);
    else if (!target.closest("dialog, .toasts, .ec-main, #calendar-list")) places = [];
  });
  // A click outside of the visits ends this.
  document.addEventListener("pointerdown", ({ target }) => {
    if (!target.closest(`${VISITS}, dialog, .toasts`)) places = [];
  });
  document.addEventListener("calendar:done", () => {
    isDone = true;
  });
  document.addEventListener("calendar:drawn", restorePlace);
  // The visits may have been drawn again below the dialog. After a change they will be.
  document.addEventListener("calendar:closed", ({ detail }) => {
    if (!detail.done) restorePlace();
  });
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.target.id === "calendar-list") restorePlace();
  });
}
