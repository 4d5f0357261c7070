"""The figures that a scrape reads from PostgreSQL and Redis: what waits, what failed, and when tasks last ran."""

from collections.abc import Iterator
from datetime import datetime

from django.db import DatabaseError, connection
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clinic.models import Appointment, ParkedRow, Subscription
from clinic.monitoring.outbox import outbox_figures
from clinic.monitoring.task_runs import task_runs


class ClinicCollector(Collector):
    """Collector of gauges as they are `now`. Without PostgreSQL only `clinic_database_up` and the tasks are there."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        now = self._now
        yield from _tasks(now)
        try:
            gauges = [*_visits(now), *_messages(now), *_others(), *_pool()]
        except DatabaseError:
            yield GaugeMetricFamily("clinic_database_up", "1 if PostgreSQL answers.", value=0)
            return
        yield GaugeMetricFamily("clinic_database_up", "1 if PostgreSQL answers.", value=1)
        yield from gauges


def _tasks(now: datetime) -> Iterator[Metric]:
    ended = GaugeMetricFamily(
        "clinic_task_ended_seconds", "When a background task last ended, in seconds since 1970.", labels=["task"]
    )
    late = GaugeMetricFamily("clinic_task_late", "1 if a task should have ended since.", labels=["task"])
    for run in task_runs(now=now):
        late.add_metric([run.name], run.is_late)
        if run.ended is not None:
            ended.add_metric([run.name], run.ended.timestamp())
    yield ended
    yield late


def _visits(now: datetime) -> Iterator[Metric]:
    waiting = Appointment.objects.filter(deleted_at=None)
    held = waiting.filter(status=Appointment.Status.PENDING, hold_expires_at__gt=now)
    requested = waiting.filter(status=Appointment.Status.PENDING, hold_expires_at=None)
    entries = waiting.filter(status=Appointment.Status.WAITLIST)
    yield GaugeMetricFamily("clinic_holds", "Times that are held now.", value=held.count())
    yield GaugeMetricFamily("clinic_visit_requests", "Requests without an answer.", value=requested.count())
    yield GaugeMetricFamily("clinic_waiting_list", "Entries of the waiting list.", value=entries.count())


def _messages(now: datetime) -> Iterator[Metric]:
    unsent = GaugeMetricFamily("clinic_messages_due", "Messages that are due and not sent.", labels=["medium"])
    oldest = GaugeMetricFamily(
        "clinic_messages_oldest_seconds", "Age of the oldest message that is due and not sent.", labels=["medium"]
    )
    failed = GaugeMetricFamily("clinic_messages_failed", "Messages that failed in the last day.", labels=["medium"])
    for figures in outbox_figures(now=now):
        if figures.due:
            unsent.add_metric([figures.medium], figures.due)
            oldest.add_metric([figures.medium], figures.oldest.total_seconds())
        if figures.failed:
            failed.add_metric([figures.medium], figures.failed)
    yield from (unsent, oldest, failed)


def _others() -> Iterator[Metric]:
    subscriptions = GaugeMetricFamily("clinic_subscriptions", "Subscriptions, by status.", labels=["status"])
    standing = Subscription.objects.filter(deleted_at=None).order_by()
    for status, number in standing.values_list("status").annotate(number=Count("pk")):
        subscriptions.add_metric([status], number)
    yield subscriptions
    yield GaugeMetricFamily(
        "clinic_parked_rows", "Rows that background tasks have set aside.", value=ParkedRow.objects.count()
    )


def _pool() -> Iterator[Metric]:
    """The connections of the process that answers the scrape."""
    connections = GaugeMetricFamily("clinic_database_connections", "Connections of this process.", labels=["state"])
    pool = getattr(connection, "pool", None)
    statistics = pool.get_stats() if pool else {}
    for state, name in (("open", "pool_size"), ("idle", "pool_available"), ("awaited", "requests_waiting")):
        if name in statistics:
            connections.add_metric([state], statistics[name])
    yield connections
