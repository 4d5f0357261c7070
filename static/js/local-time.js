// A time marked data-local-time is also shown in the device's zone, if that differs from data-zone.
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const { locale, hourCycle } = document.documentElement.dataset;
const PARTS = { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit", hourCycle };
const said = (moment, timeZone) => new Intl.DateTimeFormat(locale, { ...PARTS, timeZone }).format(moment).replaceAll("\u202f", " ");

for (const place of document.querySelectorAll("[data-local-time]")) {
  const moment = new Date(place.dataset.localTime);
  const here = said(moment, own);
  if (here !== said(moment, place.dataset.zone)) {
    place.textContent = place.dataset.words.replace("%s", `${here} (${own.split("/").pop().replaceAll("_", " ")})`);
  }
}
