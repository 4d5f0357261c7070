"""The digest of a day: an email to a member of staff with the visits that they see, at the hour of their choice."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.country import clinic_zone
from clinic.models import Appointment, NoticeSettings
from clinic.parking import Parking
from clinic.time_text import long_day
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.core.hours import whole_days
from scheduling.facts import VisitFacts
from scheduling.notifications import links
from scheduling.staff_notices.emails import line_of
from scheduling.visit_zone import zones_of_place

NOON = time(12)  # a digest before it is of the same day, a later one of the next day
MOST_LINES = 100
PEOPLE_AT_ONCE = 100


def send_digests(*, now: datetime) -> int:
    """Write the digests whose hour has come, once a day for each member of staff. Returns their number."""
    local = now.astimezone(clinic_zone())
    due = NoticeSettings.objects.filter(
        Q(digested=None) | Q(digested__lt=local.date()), digest_at__lte=local.time(), user__is_active=True
    )
    aside = Parking("send digests", NoticeSettings, now=now)
    rows = due.exclude(pk__in=aside.waiting).order_by("pk").only("pk")
    written: list[bool] = []
    aside.process_each(rows[:PEOPLE_AT_ONCE], lambda row: written.append(_send(row.pk, local, now)), writes=False)
    return sum(written)


@transaction.atomic(durable=True)
def _send(key: int, local: datetime, now: datetime) -> bool:
    """Write one digest. False if another worker has it, or there is nothing to tell."""
    rows = NoticeSettings.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    wanted = rows.filter(pk=key).exclude(digested=local.date()).select_related("user").first()
    if wanted is None or wanted.digest_at is None:
        return False
    NoticeSettings.objects.filter(pk=key).update(digested=local.date())
    day = local.date() if wanted.digest_at < NOON else local.date() + timedelta(days=1)
    with translation.override(settings.LANGUAGE_CODE):
        visits = _visits(Caller(user=wanted.user), day)
        if not visits:
            return False
        subject = _("Visits on %(day)s: %(count)s") % {"count": len(visits), "day": long_day(day)}
        lines = [line_of(visit) for visit in visits[:MOST_LINES]]
        if len(visits) > MOST_LINES:
            lines.append(_("and %(count)s more") % {"count": len(visits) - MOST_LINES})
        page = _("The day: %(link)s") % {"link": links.absolute(f"/staff/today/?date={day}")}
        notifications.staff_told(wanted.user, subject, "\n".join([*lines, "", page]), now=now)
    return True


def _visits(caller: Caller, day: date) -> Sequence[VisitFacts]:
    """The booked visits of the clinic's day that the person sees, in order of time."""
    start, end = (as_datetime(moment) for moment in whole_days(day, day, clinic_zone()))
    rows = access.staff_appointments(caller).filter(
        status=Appointment.Status.BOOKED, deleted_at=None, start__gte=start, start__lt=end
    )
    visits = list(rows.select_related("service", "site", "patient").order_by("start", "pk"))
    zones = zones_of_place(visits)
    return [VisitFacts(visit, zones[visit.pk]) for visit in visits]
