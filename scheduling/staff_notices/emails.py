"""Emails to staff about their notices: changes within a few minutes make one email. They name no patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic import time_text
from clinic.models import Appointment, StaffNotice, User
from clinic.parking import Parking
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.facts import VisitFacts
from scheduling.notifications import links
from scheduling.visit_zone import zones_of_place

GATHERED_FOR = timedelta(minutes=5)  # longer than a change can be undone
PEOPLE_AT_ONCE = 100
Kind, Status = StaffNotice.Kind, Appointment.Status
WORDS = {
    Kind.BOOKED: gettext_lazy("New"),
    Kind.MOVED: gettext_lazy("Moved"),
    Kind.CANCELLED: gettext_lazy("Cancelled"),
    Kind.FAILED: gettext_lazy("A message could not be sent"),
}


@dataclass(frozen=True, slots=True)
class NewsLine:
    """A line of an email: a visit, and what happened to it."""

    word: Any
    visit: VisitFacts

    def __str__(self) -> str:
        return f"{self.word}: {line_of(self.visit)}\n{links.staff_link(self.visit.appointment)}"


def send_emails(*, now: datetime) -> int:
    """Write an email to each member of staff for whom a notice is due, about all that wait. Returns their number."""
    aside = Parking("tell staff", User, now=now)
    due = StaffNotice.objects.filter(due__lte=now).exclude(user__in=aside.waiting).order_by()
    keys = list(due.values_list("user", flat=True).distinct()[:PEOPLE_AT_ONCE])
    written: list[bool] = []
    people = User.objects.filter(pk__in=keys).only("pk")
    aside.process_each(people, lambda user: written.append(_write_email(user.pk, now)), writes=False)
    return sum(written)


def line_of(visit: VisitFacts) -> str:
    """The visit in a line, without its patient: when, what and with whom if emails may name it, and where."""
    service = visit.appointment.service
    named = (visit.name, visit.with_whom) if service is not None and service.named_in_email else ()
    place = _("By video") if visit.by_video else visit.where
    return ", ".join(part for part in (time_text.when(visit.start, visit.end, visit.zone), *named, place) if part)


@transaction.atomic(durable=True)
def _write_email(user_id: int, now: datetime) -> bool:
    """Write the email of one member of staff. False if another worker has it, or nothing is left to report."""
    user = User.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=user_id, is_active=True).first()
    if user is None:
        return False
    rows = list(StaffNotice.objects.filter(user=user, due__isnull=False).order_by("occurred", "pk"))
    StaffNotice.objects.filter(pk__in=[row.pk for row in rows]).update(due=None)  # not one that was written meanwhile
    with translation.override(settings.LANGUAGE_CODE):
        lines = _lines(rows, user)
        if not lines or not user.email:
            return False
        count = len(lines)
        subject = ngettext("%(count)s change to visits", "%(count)s changes to visits", count) % {"count": count}
        text = "\n\n".join(map(str, lines))
        ending = _("Choose your notices: %(link)s") % {"link": links.absolute("/staff/notices/settings/")}
        notifications.staff_told(user, subject, f"{text}\n\n{ending}", now=now)
    return True


def _lines(rows: Sequence[StaffNotice], user: User) -> list[NewsLine]:
    """The lines about the visits that the person still sees, in the order of their first notices."""
    kinds: dict[int, list[StaffNotice.Kind]] = {}
    for row in rows:
        kinds.setdefault(row.appointment_id, []).append(Kind(row.kind))
    seen = access.staff_appointments(Caller(user=user)).filter(pk__in=kinds, deleted_at=None).exclude(start=None)
    visits = {visit.pk: visit for visit in seen.select_related("service", "site", "patient")}
    zones = zones_of_place(list(visits.values()))
    return [
        NewsLine(WORDS[kind], VisitFacts(visits[key], zones[key]))
        for key, happened in kinds.items()
        if key in visits
        for kind in outcome_of(happened, visits[key].status)
    ]


def outcome_of(kinds: Sequence[StaffNotice.Kind], status: str) -> list[StaffNotice.Kind]:
    """Return the changes of a visit to report to staff, from all its changes and its status now.

    A visit that came and went is not told of, nor is a cancellation that was undone.
    """
    told = [Kind.FAILED] if Kind.FAILED in kinds else []
    happened = [kind for kind in kinds if kind != Kind.FAILED]
    if not happened:
        return told
    is_new, is_off = happened[0] == Kind.BOOKED, status == Status.CANCELLED
    if is_off:
        return told if is_new else [Kind.CANCELLED]
    if is_new:
        return [Kind.BOOKED, *told]
    return [Kind.MOVED, *told] if Kind.MOVED in happened else told
