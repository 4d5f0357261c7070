// Shows changes by others within seconds: a small request every four seconds, none while the page is hidden.
const EVERY = 4_000;
const watched = document.querySelector("[data-changes]");

if (watched) {
  const { calendars, changes, since } = watched.dataset;
  const address = `${changes}?${new URLSearchParams({ calendars, since })}`;
  let state = null;

  const ask = async () => {
    if (document.hidden) return;
    const headers = state ? { "If-None-Match": state } : {};
    const answer = await fetch(address, { headers, cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return;
    const known = state;
    state = answer.headers.get("ETag");
    if (known && state !== known) document.dispatchEvent(new CustomEvent("calendar:changed"));
  };

  document.addEventListener("calendar:changed", () => {
    if (document.querySelector(".calendar--grid")) return; // the grid reloads its own events
    htmx.ajax("GET", location.href, { target: "#calendar-list", select: "#calendar-list", swap: "outerHTML" });
  });
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, EVERY);
  ask();
}
