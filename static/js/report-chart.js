// The chart of a report, drawn from its table; without this script the table is all there is.
const place = document.querySelector("[data-report-chart]");
const canvas = place.querySelector("canvas");
const choice = place.querySelector("select");
const rows = [...document.querySelectorAll(".report-table tbody tr")];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const column = (kind) => rows.map((row) => row.cells[Number(choice.value) + 1].dataset[kind]).map((text) => (text === "" ? null : Number(text)));
const unit = () => rows[0].cells[Number(choice.value) + 1].dataset.unit;

place.hidden = false;
const chart = new Chart(canvas, {
  type: "bar",
  data: { labels: rows.map((row) => row.cells[0].textContent) },
  options: {
    animation: false,
    maintainAspectRatio: false,
    scales: { y: { beginAtZero: true, ticks: {} }, x: {} },
    plugins: { legend: { position: "bottom" } },
  },
});

function draw() {
  const text = colour("--text");
  const line = colour("--line");
  chart.options.color = text;
  for (const axis of Object.values(chart.options.scales)) {
    axis.grid = { color: line };
    axis.ticks = { ...axis.ticks, color: text };
  }
  chart.options.scales.y.ticks.precision = unit() === "count" ? 0 : undefined;
  chart.options.scales.y.ticks.format = unit() === "share" ? { style: "percent" } : { maximumFractionDigits: 1 };
  chart.options.locale = document.documentElement.dataset.locale;
  chart.data.datasets = [
    { label: canvas.dataset.now, data: column("value"), backgroundColor: colour("--accent") },
    { label: canvas.dataset.before, data: column("before"), backgroundColor: colour("--line-strong") },
  ];
  chart.update();
}

choice.addEventListener("change", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
draw();
