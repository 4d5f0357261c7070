"""Remarks about what keeps a service, schedule or place from being booked, shown on their admin pages."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import time_text
from clinic.admin.base import Remark, remarks_requested
from clinic.admin.links import page_of
from clinic.models import HealthcareService, Location, Schedule
from clinic.models.base import Resource
from scheduling import availability


@receiver(remarks_requested, sender=HealthcareService)
def of_service(sender: type, row: HealthcareService, **options: Any) -> list[Remark]:
    [verdict] = availability.checklist([row], now=timezone.now())
    good = []
    if verdict.first is not None:
        when = time_text.in_short(verdict.first, verdict.zone)
        text = _("It can be booked. First free time: %(when)s.") % {"when": when}
        good = [Remark(text, is_good=True)]
    return [*good, *(_remark(each.text, each.mend, row) for each in verdict.worth_saying)]


@receiver(remarks_requested, sender=Schedule)
def of_schedule(sender: type, row: Schedule, **options: Any) -> list[Remark]:
    active = HealthcareService.objects.filter(active=True, deleted_at=None)
    services = active if row.offers_all_services else active.filter(schedules=row)
    verdicts = availability.checklist(services, now=timezone.now())
    if not verdicts:
        return [Remark(_("It gives no active service, so nothing can be booked on it. Add services."))]
    found: dict[tuple[str, Resource | None], list[str]] = {}
    for verdict in verdicts:
        for problem in verdict.of(row.pk):
            found.setdefault((problem.text, problem.mend), []).append(verdict.service.name)
    return [
        _remark(text if len(names) == len(verdicts) > 1 else f"{', '.join(names)}: {text}", mend, row)
        for (text, mend), names in found.items()
    ]


@receiver(remarks_requested, sender=Location)
def of_place(sender: type, row: Location, **options: Any) -> list[Remark]:
    return [_remark(each.text, each.mend, row) for each in availability.problems_of_place(row)]


def _remark(text: str, mend: Resource | None, row: Resource) -> Remark:
    """The remark with a link to the page of the row to mend, unless that is this page."""
    if mend == row:
        return Remark(text)
    return Remark(text, address=page_of(mend), page=str(mend or _("Schedules")))
