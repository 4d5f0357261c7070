// How much of a hold is left, by the server's clock; said aloud at five, two and one minutes and at the end.
const hold = document.querySelector("[data-countdown]");
const SAID_AT = [5, 2, 1];

if (hold) {
  const ahead = Date.now() - Date.parse(hold.dataset.now);
  const end = Date.parse(hold.dataset.countdown);
  const left = hold.querySelector("[data-countdown-left]");
  const announcement = document.getElementById("announcement");
  let before = Infinity;

  const tick = () => {
    const seconds = Math.max(0, Math.ceil((end + ahead - Date.now()) / 1000));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const minutes = SAID_AT.find((each) => seconds <= each * 60 && before > each * 60 && before !== Infinity);
    if (minutes) {
      announcement.textContent = minutes === 1 ? hold.dataset.minute : hold.dataset.minutes.replace("%s", minutes);
    }
    hold.classList.toggle("hold--short", seconds <= 120);
    if (seconds === 0) {
      clearInterval(timer);
      hold.querySelector("[data-countdown-text]").textContent = hold.dataset.over;
      left.textContent = "";
      announcement.textContent = hold.dataset.over;
    }
    before = seconds;
  };

  const timer = setInterval(tick, 1000);
  tick();
}
