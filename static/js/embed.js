// Shows the clinic's booking on its own site, in place of this script:
//   <script src="https://clinic.example/embed.js" data-service="..." async></script>
// data-service: one kind of visit. data-accent, data-theme, data-language, data-radius: its look. data-title: its name
// for screen readers, and the text of the link that takes its place where the frame is refused.
(() => {
  const script = document.currentScript;
  const site = new URL(script.src).origin;
  const MESSAGE = "clinic-booking";
  const PATIENCE = 10_000;
  const HIGHEST = 20_000;

  const options = ["accent", "theme", "language", "radius"]
    .map((name) => [name, (script.dataset[name] ?? "").replace("#", "").toLowerCase()])
    .filter(([, value]) => /^[a-z0-9-]+$/.test(value))
    .map((option) => option.join("-"));
  const page = script.dataset.service ? `/book/${encodeURIComponent(script.dataset.service)}/` : "/";
  const title = script.dataset.title || "Book a visit";

  const frame = document.createElement("iframe");
  frame.src = `${site}/embed/${options.join(",") || "-"}${page}`;
  frame.title = title;
  Object.assign(frame.style, { width: "100%", height: "40rem", border: "0" });

  const link = document.createElement("a");
  link.href = `${site}${page}`;
  link.textContent = title;

  let answered = false;
  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== site || event.data?.type !== `${MESSAGE}:height`) return;
    answered = true;
    const height = Number(event.data.height);
    if (height > 0 && height < HIGHEST) frame.style.height = `${height}px`;
  });
  frame.addEventListener("load", () => {
    if (answered && frame.getBoundingClientRect().top < 0) frame.scrollIntoView(); // the next page begins at its top
    frame.contentWindow.postMessage({ type: `${MESSAGE}:hello` }, site);
    setTimeout(() => { if (!answered) frame.replaceWith(link); }, PATIENCE);
  });
  script.after(frame);
})();
