// Weekly hours: copies Monday's hours to other days, and marks an end on the next day.
const week = document.querySelector("[data-week]");

if (week) {
  const announcement = document.getElementById("announcement");

  const times = (span) => [...span.querySelectorAll("input")].map((input) => input.value);
  const sayNextDay = () => {
    for (const note of week.querySelectorAll("[data-next]")) {
      const [opens, closes] = times(note.parentElement);
      note.textContent = opens && closes && closes <= opens ? week.dataset.nextDay : "";
    }
  };

  const copy = (from, to) => {
    const values = [...from.querySelectorAll("select, input")].map((control) => control.value);
    [...to.querySelectorAll("select, input")].forEach((control, n) => { control.value = values[n] ?? ""; });
  };

  for (const button of week.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const from = button.closest("[data-day]");
      for (const day of button.dataset.copy.split(" ")) copy(from, week.querySelector(`[data-day="${day}"]`));
      sayNextDay();
      announcement.textContent = button.dataset.copied;
    });
  }

  // Entering hours selects the calendar's own hours.
  week.addEventListener("input", (event) => {
    const own = week.querySelector('input[name="whose"][value="own"]');
    if (own && event.target.closest("[data-day]")) own.checked = true;
    sayNextDay();
  });
  sayNextDay();
}
