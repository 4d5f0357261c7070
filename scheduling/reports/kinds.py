"""The kinds of reports: their figures with definitions, the counts that they come from, and their divisions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from clinic.message_kinds import Event, Medium
from clinic.models import HealthcareService, Location, Practitioner
from clinic.time_text import plain_day
from scheduling import access
from scheduling.access import Caller
from scheduling.reports.periods import Period
from scheduling.reports.tables import WEEK, Figure, Kind, Report, Unit, count, per, share, tabulate

DAY = 24 * 60  # minutes
HOUR = 60  # minutes


VISITS = Kind(
    "visits",
    _("Visits"),
    (
        Figure(
            _("Visits"),
            _("Visits planned for these days, without those that were cancelled."),
            Unit.COUNT,
            count("visits"),
        ),
        Figure(_("Done"), _("Marked as done."), Unit.COUNT, count("done")),
        Figure(
            _("No-shows"), _("Patients who did not come, as a share of visits."), Unit.SHARE, share("missed", "visits")
        ),
        Figure(
            _("Cancelled"),
            _("Visits that were booked and then cancelled, by the day they were planned for."),
            Unit.COUNT,
            count("cancelled"),
        ),
        Figure(
            _("Cancelled late"),
            _("Visits cancelled after the deadline, and not by the clinic, as a share of all that were booked."),
            Unit.SHARE,
            share("late", "visits", "cancelled"),
        ),
        Figure(
            _("Confirmed"),
            _("Patients who confirmed that they are coming, as a share of visits."),
            Unit.SHARE,
            share("confirmed", "visits"),
        ),
        Figure(
            _("Booked ahead"),
            _("Average time between booking and visit."),
            Unit.DAYS,
            per("ahead_minutes", "ahead", DAY),
        ),
    ),
    access.visit_figures,
    ("visits", "done", "missed", "cancelled", "late", "confirmed", "ahead", "ahead_minutes"),
    {WEEK: "", "service": "service", "site": "site", "person": "practitioner"},
)
TIME = Kind(
    "time",
    _("Use of time"),
    (
        Figure(
            _("Open"),
            _("Opening hours and extra times, without closures and blocked time."),
            Unit.HOURS,
            lambda counts: counts.get("open_minutes", 0) / HOUR,
        ),
        Figure(
            _("With visits"),
            _("Time taken by visits, also outside the hours."),
            Unit.HOURS,
            lambda counts: counts.get("used_minutes", 0) / HOUR,
        ),
        Figure(
            _("Used"),
            _("Time with visits as a share of open time. It can be more than 100% if visits lie outside the hours."),
            Unit.SHARE,
            share("used_minutes", "open_minutes"),
        ),
    ),
    access.time_figures,
    ("open_minutes", "used_minutes"),
    {
        WEEK: "",
        "person": "schedule__bookable__practitioner",
        "room": "schedule__bookable__location",
        "site": "schedule__site",
    },
)
WAITLIST = Kind(
    "waiting-list",
    _("Waiting list"),
    (
        Figure(
            _("Freed"),
            _("Visits that were cancelled or moved while somebody waited for such a time."),
            Unit.COUNT,
            count("freed"),
        ),
        Figure(_("Filled"), _("Freed times taken by somebody on the waiting list."), Unit.COUNT, count("filled")),
        Figure(_("Share filled"), _("Filled as a share of freed."), Unit.SHARE, share("filled", "freed")),
    ),
    access.visit_figures,
    ("freed", "filled"),
    {WEEK: "", "service": "service", "site": "site", "person": "practitioner"},
)
MESSAGES = Kind(
    "messages",
    _("Messages"),
    (
        Figure(_("Sent"), _("Emails and text messages that were sent."), Unit.COUNT, count("sent")),
        Figure(
            _("Failed"),
            _("Messages that could not be sent, by the day they were due."),
            Unit.COUNT,
            count("failed"),
        ),
        Figure(
            _("Share failed"),
            _("Failed as a share of sent and failed."),
            Unit.SHARE,
            share("failed", "sent", "failed"),
        ),
    ),
    access.message_figures,
    ("sent", "failed"),
    {WEEK: "", "medium": "medium", "event": "event", "site": "site"},
)
KINDS = {kind.key: kind for kind in (VISITS, TIME, WAITLIST, MESSAGES)}


def report_of(kind: Kind, period: Period, *, by: str, caller: Caller) -> Report:
    """Add up the report of a period for what the caller may see. At most three statements.

    Raises ValueError for a division that the report does not have.
    """
    if by not in kind.divisions:
        raise ValueError(f"{kind.key} has no division by {by}")
    return tabulate(kind, period, by=by, rows=kind.rows(caller), names=_NAMES[by])


def _rows_named(model: type[Model], nothing: Any) -> Callable[[Iterable[Any]], dict[Any, str]]:
    def names(keys: Iterable[Any]) -> dict[Any, str]:
        rows = model._default_manager.in_bulk([key for key in keys if key is not None])
        return {None: str(nothing)} | {key: str(row) for key, row in rows.items()}

    return names


def _choices_named(choices: Any) -> Callable[[Iterable[Any]], dict[Any, str]]:
    return lambda keys: {key: str(choices(key).label) for key in keys}


_NAMES: Mapping[str, Callable[[Iterable[Any]], Mapping[Any, str]]] = {
    WEEK: lambda mondays: {monday: plain_day(monday) for monday in mondays},
    "service": _rows_named(HealthcareService, _("Without a service")),
    "site": _rows_named(Location, _("Without a site")),
    "room": _rows_named(Location, _("Without a room")),
    "person": _rows_named(Practitioner, _("Without a person")),
    "medium": _choices_named(Medium),
    "event": _choices_named(Event),
}
