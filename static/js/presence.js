// Tells the server when the page of a held time is closed, so that the hold can end earlier.
// Going to another page of this site does not count, and coming back is reported too.
const place = document.querySelector("[data-presence]");

if (place) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  let goesOn = false;

  const tell = (left) => {
    const form = new FormData();
    form.append("csrfmiddlewaretoken", token);
    if (left) form.append("left", "1");
    navigator.sendBeacon(place.dataset.presence, form);
  };

  document.addEventListener("submit", () => { goesOn = true; });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (link && link.origin === location.origin && !link.hasAttribute("download")) goesOn = true;
  });
  window.addEventListener("pagehide", () => { if (!goesOn) tell(true); });
  window.addEventListener("pageshow", () => { goesOn = false; tell(false); });
}
