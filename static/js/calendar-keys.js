// Keyboard shortcuts for the calendar's links marked data-key: off while typing, and can be turned off.
const KEYS = {
  t: "today", ArrowLeft: "previous", ArrowRight: "next", n: "new", b: "block", d: "day", w: "week", m: "month", a: "agenda",
};
const OFF = "calendar-keys-off";
const help = document.getElementById("help");
const wanted = document.querySelector("[data-keys]");

if (help) {
  wanted.checked = !localStorage.getItem(OFF);
  wanted.addEventListener("change", () => {
    if (wanted.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  document.querySelector("[data-help]").addEventListener("click", () => help.showModal());

  document.addEventListener("keydown", (event) => {
    if (!wanted.checked || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const taken = event.target.closest("input, select, textarea, [contenteditable], summary, dialog");
    if (taken?.checkVisibility()) return; // a dialog that has just closed keeps the focus for a moment
    if (event.key === "?") {
      help.showModal();
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const link = key === "u" ? undoButton() : KEYS[key] && document.querySelector(`[data-key="${KEYS[key]}"]`);
    if (!link) return;
    event.preventDefault();
    link.click();
  });
}
