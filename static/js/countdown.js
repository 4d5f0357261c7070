// Time left of a hold, by the server's clock; announced at five, two and one minutes and at the end.
const hold = document.querySelector("[data-countdown]");
const SAID_AT = [1, 2, 5];

if (hold) {
  const ahead = Date.now() - Date.parse(hold.dataset.now);
  const end = Date.parse(hold.dataset.countdown);
  const left = hold.querySelector("[data-countdown-left]");
  const announcement = document.getElementById("announcement");
  const secondsLeft = () => Math.max(0, Math.ceil((end + ahead - Date.now()) / 1000));
  let before = secondsLeft();

  const tick = () => {
    const seconds = secondsLeft();
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    // A page that was suspended may have missed several of them: only the current one is announced.
    const minutes = SAID_AT.find((each) => seconds <= each * 60);
    if (minutes && before > minutes * 60 && seconds > 0) {
      announcement.textContent = minutes === 1 ? hold.dataset.minute : hold.dataset.minutes.replace("%s", minutes);
    }
    hold.classList.toggle("hold--short", seconds <= 120);
    if (seconds === 0) {
      clearInterval(timer);
      hold.querySelector("[data-countdown-text]").textContent = hold.dataset.over;
      left.textContent = "";
      announcement.textContent = hold.dataset.over;
      document.querySelector("[data-countdown-keep]")?.remove();
    }
    before = seconds;
  };

  const timer = setInterval(tick, 1000);
  tick();
}
