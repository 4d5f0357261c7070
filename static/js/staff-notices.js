// Notices to staff are fetched every few seconds while the page is in view. Screen readers hear new ones.
const box = document.querySelector("[data-notices]");
const EVERY = 15_000;
let last = "";

const refresh = async () => {
  if (document.hidden) return;
  const answer = await fetch(box.dataset.notices, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok || answer.redirected) return; // the connection is lost, or the session has ended
  const html = (await answer.text()).trim();
  const stable = html.replace(/name="csrfmiddlewaretoken" value="[^"]*"/, "");
  if (stable === last || box.contains(document.activeElement)) return;
  last = stable;
  box.innerHTML = html;
};

refresh();
setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
