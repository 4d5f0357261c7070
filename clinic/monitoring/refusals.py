"""Counting of refusals, by their kind."""

from django.conf import settings


def count_refusal(refusal: Exception) -> None:
    """Count a refusal that a client or a person is told of, where metrics are on."""
    if settings.METRICS_TOKEN:
        from clinic.monitoring.counters import REFUSALS  # not imported where there are no metrics

        REFUSALS.labels(type(refusal).__name__).inc()
