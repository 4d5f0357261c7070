// Draws the day and the week as a grid on wide screens; on others the list stays. A cookie tells the
// server which of the two to send.
const calendar = document.querySelector("[data-grid-page]");
const WIDE = matchMedia("(min-width: 56.25rem)");
const AGAIN = 8_000;
const COOKIE = "calendar_grid";
const A_YEAR = 365 * 24 * 3600;
const NARROWEST = 120; // smallest width of a column in pixels; beyond that the grid scrolls sideways
const LEAST = 416; // height of the grid on a small screen in pixels
const BELOW = 16;
const HEAD = 48;
const QUARTERS = { least: 16, most: 40 }; // height of a quarter of an hour in pixels
const TWO_LINES = 42; // pixels that a visit needs for its details
const { locale, hourCycle } = document.documentElement.dataset;
const CLOCK = { hour: "numeric", minute: "2-digit", hourCycle };
let grid = null;
let quarterHeight = QUARTERS.least;

const twoDigits = (number) => String(number).padStart(2, "0");
// The grid's dates are local times of the site, whatever the time zone of this device.
const wall = (text) => text.slice(0, 16);

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${calendar.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

// A visit in the grid; text that does not fit is in its title and in text for screen readers.
function contentOf({ event, view }) {
  if (event.display !== "auto") return undefined;
  const { kind, clock, when, service, status, icon: sign, note, place, whose, born, needs } = event.extendedProps;
  const time = make("span", "grid-event__time", clock);
  const nodes = [make("span", "visually-hidden", `${when}, `), time];
  time.setAttribute("aria-hidden", "true");
  const said = make("span", "grid-event__status");
  if (status) said.append(icon(sign), make("span", "grid-event__word", note ? `${status} ${note}` : status));
  const title = make("strong", "grid-event__title", event.title);
  const rest = [make("span", "grid-event__service", service)];
  if (view.type === "timeGridWeek" && calendars.length > 1) rest.push(make("span", "grid-event__whose", whose));
  rest.push(make("span", "grid-event__whose", place));
  const birth = make("span", "grid-event__born", born);
  if (needs) rest.unshift(make("span", "grid-event__needs", needs));
  if (kind === "group") nodes.push(...rest, title);
  else nodes.push(...(isShort(event) ? [said, title, birth, ...rest] : [title, said, birth, ...rest]));
  return { domNodes: nodes.filter((node) => node.hasChildNodes()) };
}

function isShort({ start, end }) {
  return ((end - start) / (15 * 60_000)) * quarterHeight < TWO_LINES;
}

function describe({ el, event }) {
  const { when, service, status, whose, kind, born, needs, href } = event.extendedProps;
  if (href) el.dataset.href = href;
  if (kind !== "closed") el.title = [when, event.title, born, needs, service, status, whose].filter(Boolean).join(", ");
}

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const calendars = calendar ? read("calendars") : [];
const headings = calendar ? read("headings") : {};

async function load(info) {
  const { events, calendars: ids, view } = calendar.dataset;
  const days = { start: info.startStr.slice(0, 10), end: info.endStr.slice(0, 10) };
  const answer = await fetch(`${events}?${new URLSearchParams({ ...days, calendars: ids, view })}`).catch(() => null);
  if (answer?.ok) return answer.json();
  say(calendar.dataset.failed);
  setTimeout(() => grid?.refetchEvents(), AGAIN);
  return grid ? grid.getEvents() : [];
}

// A dropped visit stays in its new place only if the server accepts the move; else it goes back.
function ask(info) {
  const { event, oldEvent, newResource } = info;
  const whole = (moment) => Math.round(moment / 60_000);
  const asked = new URLSearchParams({ start: wallOf(event.start) });
  if (newResource) asked.set("schedule", newResource.id);
  const minutes = whole(event.end - event.start);
  if (minutes !== whole(oldEvent.end - oldEvent.start)) asked.set("minutes", minutes);
  asked.set("version", event.extendedProps.version);
  const settled = (closed) => {
    if (!closed.detail.done) info.revert();
  };
  document.addEventListener("calendar:closed", settled, { once: true });
  openDialog(`${event.extendedProps.href}move/?${asked}`);
}

function wallOf(date) {
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}T${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
}

function create(start, resource, end) {
  const asked = new URLSearchParams({ start });
  if (resource) asked.set("schedule", resource.id);
  if (end) asked.set("end", end);
  openDialog(`${calendar.dataset.new}?${asked}`);
}

const above = () => calendar.getBoundingClientRect().top + scrollY + BELOW;

// The working hours fill the screen, as long as visits stay readable.
function quarter() {
  const { opens, closes } = calendar.dataset;
  const room = Math.max(LEAST, innerHeight - above()) - HEAD;
  const height = Math.floor(room / (4 * (Number(closes) - Number(opens))));
  return Math.min(Math.max(height, QUARTERS.least), QUARTERS.most);
}

function draw() {
  const { view, date, today, offset, firstHour, lastHour, opens, hour } = calendar.dataset;
  quarterHeight = quarter();
  const fills = quarterHeight > QUARTERS.least; // a taller grid is scrolled to an hour before now
  const opensAt = today in headings && !fills ? Math.max(0, Number(hour) - 1) : Number(opens);
  const day = view === "day";
  grid = EventCalendar.create(calendar.querySelector("[data-grid]"), {
    view: day ? "resourceTimeGridDay" : "timeGridWeek",
    date,
    timeZone: `${offset.slice(0, 3)}:${offset.slice(3)}`,
    locale,
    firstDay: Number(calendar.dataset.firstDay),
    headerToolbar: { start: "", center: "", end: "" },
    allDaySlot: false,
    nowIndicator: !("zones" in calendar.dataset), // columns of several zones have no common now
    editable: true,
    selectable: "new" in calendar.dataset,
    slotEventOverlap: false,
    slotDuration: "00:15",
    slotLabelInterval: "01:00",
    snapDuration: `00:${twoDigits(calendar.dataset.snap)}`,
    slotHeight: quarterHeight,
    columnWidth: `minmax(${NARROWEST}px, 1fr)`,
    slotMinTime: `${twoDigits(firstHour)}:00`,
    slotMaxTime: `${twoDigits(lastHour)}:00`,
    scrollTime: `${twoDigits(opensAt)}:00`,
    slotLabelFormat: CLOCK,
    eventTimeFormat: CLOCK,
    dayHeaderFormat: (moment) => headings[wallOf(moment).slice(0, 10)] ?? "",
    resources: day ? calendars : [],
    eventSources: [{ events: load }],
    loading: (isLoading) => calendar.setAttribute("aria-busy", isLoading),
    eventContent: contentOf,
    eventDidMount: describe,
    eventAllUpdated: tidy,
    eventClassNames: ({ event }) => (event.display === "auto" && isShort(event) ? ["is-short"] : []),
    eventClick: ({ event }) => event.extendedProps.href && openDialog(event.extendedProps.href),
    eventDrop: ask,
    eventResize: ask,
    dateClick: ({ dateStr, resource }) => create(wall(dateStr), resource),
    select: ({ startStr, endStr, resource }) => {
      create(wall(startStr), resource, wall(endStr));
      grid.unselect();
    },
  });
  tidy();
}

// EventCalendar claims to be a table but has no rows. Screen readers use the agenda; here visits are buttons.
function tidy() {
  const root = calendar.querySelector(".ec");
  const parts = ["row", "rowgroup", "cell", "columnheader", "rowheader"].map((role) => `[role=${role}]`);
  for (const each of root.querySelectorAll(parts.join())) {
    for (const name of ["role", "aria-colindex", "aria-rowindex", "aria-colspan", "aria-rowspan"]) each.removeAttribute(name);
  }
  for (const name of ["aria-colcount", "aria-rowcount"]) root.removeAttribute(name);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", calendar.dataset.label);
  root.querySelector(".ec-main").tabIndex = 0;
  document.dispatchEvent(new CustomEvent("calendar:drawn"));
}

function remember(wide) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${COOKIE}=${wide ? 1 : 0}; path=/staff/; max-age=${A_YEAR}; samesite=lax${secure}`;
}

function fit() {
  const wide = WIDE.matches;
  remember(wide);
  calendar.classList.toggle("calendar--grid", wide);
  calendar.querySelector("[data-grid]").hidden = !wide;
  const list = document.getElementById("calendar-list");
  if (wide) {
    list.replaceChildren();
    list.dataset.empty = "";
    calendar.style.setProperty("--above", `${above()}px`);
    if (!grid) draw();
  } else if ("empty" in list.dataset) {
    document.dispatchEvent(new CustomEvent("calendar:changed")); // loads the list
  }
}

if (calendar) {
  WIDE.addEventListener("change", fit);
  fit();
  document.addEventListener("calendar:changed", () => grid?.refetchEvents());
}
