"""Changes of several visits that were booked together: this one and those after it, or all upcoming ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.http import HttpRequest
from django.utils.translation import ngettext

from clinic.models import Appointment
from portal.appointments import visits
from portal.appointments.statuses import Status
from portal.appointments.visits import Visit
from portal.common.forms import QueryForm
from scheduling import access, availability, booking
from scheduling.access import Caller
from scheduling.availability import Offering, PlannedVisit
from scheduling.booking import Occurrences
from scheduling.participants import patients_of


class SeveralForm(QueryForm):
    """The visits that a change is for; none for one visit."""

    which = forms.ChoiceField(required=False, choices=[(Occurrences.FOLLOWING, ""), (Occurrences.ALL, "")])


@dataclass(frozen=True, slots=True)
class Several:
    """Several visits that a change of one of them is for: those that are agreed and still to come."""

    visit: Visit
    which: Occurrences
    visits: list[Visit]

    @property
    def title(self) -> str:
        count = len(self.visits)
        if self.which == Occurrences.ALL:
            text = ngettext("%(count)d upcoming visit", "All %(count)d upcoming visits", count)
            return text % {"count": count}
        text = ngettext("This and %(count)d following visit", "This and %(count)d following visits", count - 1)
        return text % {"count": count - 1}

    @property
    def query(self) -> str:
        return f"?which={self.which}"

    @property
    def cancellable(self) -> list[Visit]:
        """The visits that can still be cancelled online."""
        return [each for each in self.visits if each.is_changeable]

    @property
    def movable(self) -> list[Visit]:
        """The visits that can still be moved online."""
        return [each for each in self.visits if each.is_movable]

    @property
    def can_be_moved(self) -> bool:
        """True if this visit, which the others follow, and at least one more can still be moved online."""
        return self.visit.is_movable and len(self.movable) > 1


def several_of(visit: Visit, together: list[Visit], which: Occurrences) -> Several:
    """Return the visits that a change is for, among those that were booked together with this one."""
    coming = [each for each in together if each.is_promised and each.start > each.now]
    if which == Occurrences.FOLLOWING:
        coming = [each for each in coming if each.start >= visit.start]
    return Several(visit, which, coming)


def choices(visit: Visit, together: list[Visit]) -> list[Several]:
    """Return what can be changed together, besides this visit alone: only what is more than one visit."""
    if not visit.is_promised:
        return []
    every = several_of(visit, together, Occurrences.ALL)
    following = several_of(visit, together, Occurrences.FOLLOWING)
    is_part = visit.appointment.occurrence is not None and len(following.visits) < len(every.visits)
    options = [following, every] if is_part else [every]
    return [each for each in options if len(each.visits) > 1]


def requested(request: HttpRequest, visit: Visit, caller: Caller) -> Several | None:
    """Return the visits that the page's address names, or None if it is about one visit alone."""
    which = SeveralForm(request.GET).value("which")
    if not which or visit.appointment.series is None:
        return None
    several = several_of(visit, visits.together(visit, caller), Occurrences(which))
    return several if len(several.visits) > 1 else None


def staff_together(caller: Caller, appointment: Appointment, *, now: datetime) -> list[Visit]:
    """Return the visits booked together with this one that the caller works with; none if it was booked alone."""
    if appointment.series is None:
        return []
    rows = access.staff_appointments(caller).filter(series=appointment.series, deleted_at=None)
    return visits.at_their_sites(rows.exclude(status=Status.ENTERED_IN_ERROR).order_by("start", "pk"), now=now)


def planned_moves(
    visit: Appointment, moving: Sequence[Visit], offerings: tuple[Offering, ...], start: datetime, *, now: datetime
) -> list[PlannedVisit]:
    """Return the new times of visits that move together, one of them to `start`, also those that are not free."""
    assert visit.service is not None  # visits that move together have one
    assert visit.start is not None
    keys = [each.appointment.pk for each in moving]
    starts = [each.appointment.start for each in moving if each.appointment.start is not None]
    engaged = []
    if visit.patient is not None:
        around = timedelta(days=1) + abs(start - visit.start)
        first, last = min(starts) - around, max(starts) + around
        engaged = booking.engagements_of(visit.patient, first, last, now=now, besides=keys)
    return availability.plan_move(
        visit.service,
        offerings,
        starts,
        visit.start,
        start,
        now=now,
        engaged=engaged,
        without=keys,
        patients=patients_of(visit),
    )


def cancelled_text(count: int) -> str:
    text = ngettext("%(count)d visit has been cancelled.", "%(count)d visits have been cancelled.", count)
    return text % {"count": count}


def moved_text(count: int) -> str:
    return ngettext("%(count)d visit has been moved.", "%(count)d visits have been moved.", count) % {"count": count}
