// A time marked data-local-time is also said in the reader's own zone, where that differs from data-zone.
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const { lang } = document.documentElement;
const PARTS = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const said = (moment, timeZone) =>
  new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { ...PARTS, timeZone }).format(moment); // the day first, as on our pages

for (const place of document.querySelectorAll("[data-local-time]")) {
  const moment = new Date(place.dataset.localTime);
  const here = said(moment, own);
  if (here !== said(moment, place.dataset.zone)) {
    place.textContent = place.dataset.words.replace("%s", `${here} (${own.split("/").pop().replaceAll("_", " ")})`);
  }
}
