// Saves answers while somebody types. The server decides which questions they enable and which are red flags.
const form = document.querySelector("[data-questions]");
const PAUSE = { input: 800, change: 150 }; // milliseconds
const WAIT = 2000;

if (form) {
  const saved = document.querySelector("[data-saved]");
  let timer;
  let sending = null;
  let isStale = false;
  let arrived; // callback after saving

  const typed = () => {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.append(name, value);
    return fields;
  };

  const say = (text) => {
    if (saved && saved.textContent !== text) saved.textContent = text;
  };

  const show = ({ hidden = [], alarms = {}, calculated = {}, languages = {} }) => {
    for (const output of form.querySelectorAll("[data-calculated]")) {
      output.textContent = calculated[output.dataset.calculated] ?? "";
    }
    for (const part of form.querySelectorAll("[data-depends]")) {
      part.hidden = part.disabled = hidden.includes(part.dataset.depends);
    }
    for (const alarm of form.querySelectorAll("[data-alarm]")) {
      const text = alarms[alarm.dataset.alarm] ?? "";
      const place = alarm.querySelector("[data-alarm-text]");
      alarm.hidden = !text;
      if (place.textContent !== text) place.textContent = text;
      const language = languages[alarm.dataset.alarm];
      if (language) place.lang = language;
      else place.removeAttribute("lang");
    }
  };

  const save = async (options = {}) => {
    clearTimeout(timer);
    timer = undefined;
    if (sending) {
      isStale = true;
      return;
    }
    sending = new AbortController();
    isStale = false;
    try {
      const answer = await fetch(form.dataset.questions, {
        method: "POST",
        body: typed(),
        headers: { Accept: "application/json" },
        signal: sending.signal,
        ...options,
      });
      const told = await answer.json();
      if (told.version) form.elements.version.value = told.version;
      if (answer.ok) show(told);
      say(told.saved ?? told.refused ?? "");
    } catch (error) {
      if (error.name !== "AbortError") say(form.dataset.notSaved ?? "");
    }
    sending = null;
    if (arrived) arrived();
    else if (isStale) save();
  };

  const later = (event) => {
    if (event.target.type === "file") return;
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE[event.type]);
  };

  // "None of these" unticks the others, and any other unticks it.
  form.addEventListener("change", ({ target }) => {
    if (target.type !== "checkbox" || !target.checked) return;
    for (const box of form.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(target.name)}"]`)) {
      const isEitherAlone = "exclusive" in target.dataset || "exclusive" in box.dataset;
      if (box !== target && isEitherAlone) box.checked = false;
    }
  });
  form.addEventListener("input", later);
  form.addEventListener("change", later);

  // A submitted form waits for a save under way, because it needs the next version.
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    timer = undefined;
    isStale = false;
    if (!sending) return;
    event.preventDefault();
    event.stopPropagation();
    const { submitter } = event;
    const slow = setTimeout(() => sending?.abort(), WAIT);
    arrived = () => {
      clearTimeout(slow);
      arrived = undefined;
      form.requestSubmit(submitter);
    };
  });

  // Saves what was typed last when the page is hidden.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && timer) save({ keepalive: true });
  });
}
