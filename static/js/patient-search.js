// The search for patients over any page for staff: "/" opens it, arrows choose, Enter opens the record.
// The switch for the calendar's keys turns "/" off too. Without a script, the link in the header leads to the page.
const { page } = document.querySelector("script[data-page]").dataset;
const HEADERS = { "HX-Request": "true" };
const WAIT = 200;

let finder = null;
let latest = 0; // number of the latest request: answers to earlier ones are outdated

const found = () => [...finder.querySelectorAll("[data-found] a")];

const search = async (form) => {
  const number = ++latest;
  const answer = await fetch(page, { method: "POST", headers: HEADERS, body: new FormData(form), cache: "no-store" });
  if (answer.redirected) location.reload(); // the session has ended
  else if (number === latest && answer.ok) {
    finder.querySelector("[data-patients-found]").innerHTML = await answer.text();
  }
};

const step = (event) => {
  const links = found();
  const at = links.indexOf(document.activeElement);
  if (event.key === "Enter" && event.target.matches("input") && links.length > 0) {
    event.preventDefault();
    event.stopPropagation(); // the calendar has an Enter of its own for a search box
    links[0].click();
  } else if (event.key === "ArrowDown" && at + 1 < links.length) {
    event.preventDefault();
    links[at + 1].focus();
  } else if (event.key === "ArrowUp" && at >= 0) {
    event.preventDefault();
    (links[at - 1] ?? finder.querySelector("input[name=search]")).focus();
  }
};

const openFinder = async () => {
  const answer = await fetch(page, { headers: HEADERS, cache: "no-store" });
  if (!answer.ok || answer.redirected) {
    location.assign(page);
    return;
  }
  finder?.remove();
  finder = document.createElement("dialog");
  finder.className = "dialog";
  finder.setAttribute("aria-labelledby", "find-patient-title");
  finder.innerHTML = await answer.text();
  finder.querySelector("h2").id = "find-patient-title";
  document.body.append(finder);
  let pause;
  finder.addEventListener("input", (event) => {
    clearTimeout(pause);
    pause = setTimeout(search, WAIT, event.target.form);
  });
  finder.addEventListener("keydown", step);
  finder.querySelector("[data-close]").addEventListener("click", () => finder.close());
  finder.showModal();
  finder.querySelector("input[name=search]").focus();
};

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (localStorage.getItem("calendar-keys-off") || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  event.preventDefault();
  openFinder();
});
