// A page with data-reload-in reloads after that many seconds, for example when a video room opens.
const DAY = 24 * 60 * 60;
const waiting = document.querySelector("[data-reload-in]");
const seconds = Number(waiting?.dataset.reloadIn ?? DAY);

if (seconds < DAY) {
  waiting.hidden = false;
  setTimeout(() => location.reload(), seconds * 1000);
}
