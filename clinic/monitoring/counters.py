"""The counters and histograms of requests and refusals. Imported only where METRICS_TOKEN is set."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("clinic_requests", "Requests, by view and status.", ["view", "method", "status"])
SECONDS = Histogram(
    "clinic_request_seconds",
    "Time to answer a request, by view: that of finding and booking are views of their own.",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSALS = Counter("clinic_refusals", "Refusals, by their kind: TimeTaken, RuleBroken and the like.", ["reason"])
