// In a frame on the clinic's own site: tells the page around it how high it is, once that page has asked.
// Only an allowed origin is answered.
const origins = document.body.dataset.origins.split(" ");
const MESSAGE = "clinic-booking";

window.addEventListener("message", (event) => {
  if (event.source !== window.parent || !origins.includes(event.origin)) return;
  if (event.data?.type !== `${MESSAGE}:hello`) return;
  const tell = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    window.parent.postMessage({ type: `${MESSAGE}:height`, height }, event.origin);
  };
  new ResizeObserver(tell).observe(document.documentElement);
  tell();
});
