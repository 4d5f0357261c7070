// The grid does not fit on paper, so a list of the same entries is printed instead.
const paper = document.querySelector("[data-grid-page] [data-list]");

function row({ title, extendedProps }) {
  const { when, born, service, status, whose, place } = extendedProps;
  const line = make("li", "agenda__row");
  const entry = make("article", "entry");
  const words = make("p", "entry__title", title);
  if (born) words.append(" ", make("span", "entry__born", born));
  const rest = [service, whose, place, status].filter(Boolean).join(" · ");
  entry.append(words, make("p", "entry__service", rest));
  line.append(make("p", "agenda__time", when), entry);
  return line;
}

addEventListener("beforeprint", () => {
  if (!grid || !calendar.classList.contains("calendar--grid")) return;
  const shown = grid.getEvents().filter((event) => event.display === "auto");
  shown.sort((one, other) => one.start - other.start);
  for (const [day, heading] of Object.entries(headings)) {
    const list = make("ol", "agenda agenda--paper");
    list.append(...shown.filter((event) => wallOf(event.start).startsWith(day)).map(row));
    if (list.hasChildNodes()) paper.append(make("h2", "", heading), list);
  }
});

addEventListener("afterprint", () => {
  if (calendar?.classList.contains("calendar--grid")) paper.replaceChildren();
});
