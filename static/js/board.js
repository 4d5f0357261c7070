// The board stays as it is on the server: asked every few seconds, each step sent without leaving the page.
// Keys act on the visit that has the focus.
const board = document.querySelector("[data-board]");
const find = document.querySelector("[data-board-find]");
const announcement = document.getElementById("announcement");
const EVERY = 4000;
const UNDO_FOR = 10000;

const cards = () => [...board.querySelectorAll("[data-card]")].filter((card) => !card.hidden);
const linkOf = (card) => card?.querySelector("a");

const narrow = () => {
  const wanted = find.querySelector("input").value.trim().toLowerCase();
  for (const card of board.querySelectorAll("[data-card]")) {
    card.hidden = wanted !== "" && !card.textContent.toLowerCase().includes(wanted);
  }
};

const show = (html) => {
  const focused = board.contains(document.activeElement) ? document.activeElement.closest("[data-card]") : null;
  const id = linkOf(focused)?.id;
  board.innerHTML = html;
  narrow();
  if (id) document.getElementById(id)?.focus();
  const toast = board.querySelector(".toast");
  if (toast) {
    announcement.textContent = toast.querySelector("p").textContent;
    setTimeout(() => toast.remove(), UNDO_FOR);
  }
};

const refresh = async () => {
  if (document.hidden) return;
  const stamp = board.querySelector("[data-board-stamp]").dataset.boardStamp;
  try {
    const answer = await fetch(`${board.dataset.board}&stamp=${encodeURIComponent(stamp)}`, { headers: { "HX-Request": "true" } });
    if (answer.status === 200 && !answer.redirected && !board.querySelector(".toast")) show(await answer.text());
    if (answer.redirected) location.reload(); // signed out meanwhile
    board.removeAttribute("data-is-offline");
  } catch {
    if (!board.hasAttribute("data-is-offline")) announcement.textContent = board.dataset.offline;
    board.setAttribute("data-is-offline", "");
  }
};

board.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.dataset.sent) return;
  form.dataset.sent = "true";
  try {
    const body = new FormData(form, event.submitter);
    show(await (await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } })).text());
  } catch {
    delete form.dataset.sent;
    announcement.textContent = board.dataset.offline;
  }
});

const go = (card, by) => {
  const all = cards();
  linkOf(all[Math.min(Math.max(all.indexOf(card) + by, 0), all.length - 1)])?.focus();
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const card = document.activeElement.closest("[data-card]");
  const key = event.key.toLowerCase();
  if (key === "u") board.querySelector("[data-board-undo] button")?.click();
  else if (key === "arrowdown" || key === "arrowright") go(card, 1);
  else if (key === "arrowup" || key === "arrowleft") go(card, -1);
  else {
    const button = card?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!button) return;
    button.click();
  }
  event.preventDefault();
});

find.hidden = false;
find.addEventListener("input", narrow);
document.querySelector("[data-board-keys]").hidden = false;
setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
