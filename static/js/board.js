// The board is refreshed from the server every few seconds; each step is sent without leaving the page.
// Keys act on the focused visit.
const board = document.querySelector("[data-board]");
const find = document.querySelector("[data-board-find]");
const nothing = document.querySelector("[data-board-nothing]");
const offline = document.querySelector("[data-board-offline]");
const announcement = document.getElementById("announcement");
const EVERY = 4_000;
const TOAST_FOR = 10_000;
const ASKED = { headers: { "HX-Request": "true" }, cache: "no-store" };

let shown = 0; // number of renderings: a response to a request from before the latest one is outdated

const cardOf = (element) => element.closest("[data-card]");
const linkOf = (card) => card?.querySelector("a");
const cards = () => [...board.querySelectorAll("[data-card]:not([hidden])")];

// A long board shows only the visits around now: then the server looks among all of them.
const sought = () => find.querySelector("input").value.trim();
const TYPING = 250;
let typing;

// The words of a card come without accents, apostrophes and hyphens: clinic/folding.py.
const folded = (text) =>
  text
    .toLowerCase()
    .normalize("NFD")
    .replace(/[\p{M}'`´ʼ‘’]/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

const narrow = () => {
  const wanted = sought().toLowerCase();
  for (const card of board.querySelectorAll("[data-card]")) {
    const text = card.querySelector("[data-card-words]");
    card.hidden = !(text.dataset.cardWords.includes(folded(wanted)) || text.textContent.toLowerCase().includes(wanted));
  }
  nothing.hidden = wanted === "" || cards().length > 0;
};

const look = () => {
  narrow();
  clearTimeout(typing);
  if (board.querySelector("[data-board-cut]")) typing = setTimeout(refresh, TYPING);
};

const show = (html, focused) => {
  const id = focused ?? linkOf(board.contains(document.activeElement) ? cardOf(document.activeElement) : null)?.id;
  const key = document.activeElement.dataset.key;
  board.innerHTML = html;
  shown += 1;
  narrow();
  const link = id && document.getElementById(id);
  if (link) (cardOf(link).querySelector(`[data-key="${key}"]`) ?? link).focus();
};

const sayWhatCameOfIt = () => {
  const toast = board.querySelector("[data-board-toast]");
  announcement.textContent = toast?.querySelector("p").textContent ?? "";
  if (toast) setTimeout(() => toast.remove(), TOAST_FOR);
};

const saysOffline = (is) => {
  if (is && offline.hidden) announcement.textContent = offline.textContent.trim();
  offline.hidden = !is;
};

const ask = async (address, options) => {
  const answer = await fetch(address, { ...ASKED, ...options });
  if (answer.redirected) location.reload(); // the session has ended
  else if (!answer.ok) throw new Error(answer.statusText);
  return answer;
};

const withWords = (body, stamp = "") => {
  body.set("find", sought());
  body.set("stamp", stamp);
  return body;
};

const refresh = async () => {
  if (document.hidden) return;
  const before = shown;
  const words = sought();
  const stamp = board.querySelector("[data-board-stamp]").dataset.boardStamp;
  try {
    const answer = await (words && board.querySelector("[data-board-cut]")
      ? ask(board.dataset.board, { method: "POST", body: withWords(new FormData(board.querySelector("form")), stamp) })
      : ask(`${board.dataset.board}&stamp=${encodeURIComponent(stamp)}`));
    const html = answer.status === 200 ? await answer.text() : "";
    if (html && shown === before && words === sought()) {
      const toast = board.querySelector("[data-board-toast]");
      const had = toast?.contains(document.activeElement);
      show(html);
      if (toast) board.append(toast);
      if (had) toast.querySelector("button").focus();
    }
    saysOffline(false);
  } catch {
    saysOffline(true);
  }
};

board.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const sent = cardOf(event.submitter) ?? form;
  if (sent.dataset.sent) return;
  sent.dataset.sent = "true";
  const body = new FormData(form, event.submitter);
  if (board.querySelector("[data-board-cut]")) withWords(body);
  try {
    const answer = await ask(event.submitter.getAttribute("formaction") ?? form.action, { method: "POST", body });
    show(await answer.text(), form.dataset.visit);
    sayWhatCameOfIt();
    saysOffline(false);
  } catch {
    delete sent.dataset.sent;
    saysOffline(true);
  }
});

const go = (card, by) => {
  const all = cards();
  linkOf(all[Math.min(Math.max(all.indexOf(card) + by, 0), all.length - 1)])?.focus();
};

document.addEventListener("keydown", (event) => {
  const from = document.activeElement;
  if (event.ctrlKey || event.metaKey || event.altKey || !(from === document.body || board.contains(from))) return;
  const card = cardOf(from);
  const key = event.key.toLowerCase();
  if (key === "arrowdown" || key === "arrowright") go(card, 1);
  else if (key === "arrowup" || key === "arrowleft") go(card, -1);
  else {
    const button = (card && key === "u" ? board : card)?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!button) return;
    button.click();
  }
  event.preventDefault();
});

find.hidden = false;
find.addEventListener("input", look);
document.querySelector("[data-board-keys]").hidden = false;
setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
