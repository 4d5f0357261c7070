// A time marked data-local-time is also said in the reader's own zone, where that differs from data-zone.
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const clock = (moment, timeZone) =>
  new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short", timeZone }).format(moment);

for (const place of document.querySelectorAll("[data-local-time]")) {
  const moment = new Date(place.dataset.localTime);
  if (clock(moment, own) !== clock(moment, place.dataset.zone)) {
    place.textContent = place.dataset.words.replace("%s", `${clock(moment, own)} (${own.split("/").pop().replaceAll("_", " ")})`);
  }
}
