// The device's rough position and time zone. Both are read only when the user asks for it.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

// Browser and server may use an old and a new name of the same zone: the browser can compare them.
const known = (name) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return name;
  }
};
const isOwn = (name) => Boolean(name) && (name === zone || known(name) === known(zone));

const offer = () => {
  const near = document.querySelector("[data-near]");
  if (near && navigator.geolocation) near.hidden = false;
  const select = document.getElementById("zone");
  const own = document.querySelector("[data-own-zone]");
  if (own && select) own.hidden = isOwn(select.value || select.dataset.zone);
};

const findMe = (button) => {
  const form = button.form;
  button.setAttribute("aria-busy", "true");
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      form.elements.latitude.value = coords.latitude.toFixed(2);
      form.elements.longitude.value = coords.longitude.toFixed(2);
      form.submit();
    },
    () => {
      button.removeAttribute("aria-busy");
      document.getElementById("announcement").textContent = form.dataset.refused;
      button.textContent = form.dataset.refused;
      button.disabled = true;
    },
    { timeout: 10000, maximumAge: 600000 },
  );
};

document.addEventListener("click", (event) => {
  const near = event.target.closest("[data-near]");
  if (near) {
    event.preventDefault();
    findMe(near);
  }
  if (event.target.closest("[data-own-zone]")) {
    const select = document.getElementById("zone");
    const found = [...select.options].find((each) => isOwn(each.value));
    if (!found) select.add(new Option(zone, zone));
    select.value = found ? found.value : zone;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
});

document.addEventListener("htmx:load", offer);
offer();
