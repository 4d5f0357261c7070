"""Checks of the work in the background: tasks run, and nothing waits longer than it may."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clinic.doctor.check import Check, Findings
from clinic.models import Appointment, Communication, ParkedRow
from clinic.monitoring.task_runs import task_runs

LATE = timedelta(minutes=10)  # by then a worker has released a hold and sent a message


def _tasks(now: datetime) -> Findings:
    for run in task_runs(now=now):
        if run.is_late:
            last = "–" if run.ended is None else f"{run.ended:%Y-%m-%d %H:%M} UTC"
            yield _(
                "The task “%(task)s” is late (last run: %(last)s). Are a worker and the clock (celery beat) running?"
            ) % {
                "task": run.name,
                "last": last,
            }


def _background_work(now: datetime) -> Findings:
    """Work that waits longer than it may: the worker or the clock does not run, or cannot keep up."""
    late = now - LATE
    open_messages = Communication.objects.filter(status__in=["preparation", "in-progress"], deleted_at=None)
    unsent = open_messages.filter(due__lt=late, attempts=0).count()
    if unsent:
        yield _(
            "Messages that have been due for over ten minutes: %(number)d."
            " Are a worker and the clock (celery beat) running?"
        ) % {"number": unsent}
    holds = Appointment.objects.filter(status=Appointment.Status.PENDING, hold_expires_at__lt=late, deleted_at=None)
    if expired := holds.count():
        yield _(
            "Holds that expired over ten minutes ago and are not released: %(number)d."
            " Is the clock (celery beat) running?"
        ) % {"number": expired}
    if parked := ParkedRow.objects.count():
        yield _("Rows that background tasks have set aside: %(number)d. They are listed in Administration.") % {
            "number": parked
        }


CHECKS = (
    Check(gettext_noop("tasks"), _tasks),
    Check(gettext_noop("background work"), _background_work),
)
