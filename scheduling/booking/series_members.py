"""The visits of a series that a change is for, and which of them a refusal is about."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinic.models import Appointment, HealthcareService
from clinic.time_text import in_short
from clinic.translations import text_of
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.request import SeriesRequest
from scheduling.booking.transitions import locked
from scheduling.errors import Invalid, SchedulingError
from scheduling.versions import Versions


class Occurrences(StrEnum):
    """The visits of a series that a change is for: https://www.medplum.com/docs/scheduling/appointment-confirm"""

    THIS = "this"
    FOLLOWING = "this-and-following"
    ALL = "all"


def locked_members(
    appointment_id: str, occurrences: Occurrences, caller: Caller, version: Versions | None
) -> tuple[Appointment, list[Appointment]]:
    """The named visit at `version`, and the visits of its series that are meant, locked and in their order."""
    named, ids = members_of(appointment_id, occurrences, caller)
    versions = {named.fhir_id: version}
    members = [locked(fhir_id, caller, versions.get(fhir_id)) for fhir_id in ids]
    return next(visit for visit in members if visit == named), members


def members_of(appointment_id: str, occurrences: Occurrences, caller: Caller) -> tuple[Appointment, list[str]]:
    """The named visit, and the ids of the visits of its series that are meant, in the order in which all lock them."""
    named = access.changeable_appointment(caller, appointment_id)
    if named.series is None:
        raise Invalid("Appointment is not part of a recurring series", expression="Parameters.occurrences")
    rows = Appointment.objects.filter(series=named.series, deleted_at=None)
    if caller.visit:  # a manage link is for one patient
        rows = rows.filter(patient=named.patient)
    if occurrences == Occurrences.FOLLOWING:
        rows = rows.filter(start__gte=named.start)
    elif occurrences == Occurrences.THIS:
        rows = rows.filter(pk=named.pk)
    return named, list(rows.order_by("pk").values_list("fhir_id", flat=True))


def numbering(request: SeriesRequest, number: int) -> AbstractContextManager[None]:
    """Context manager in which a refusal names its visit of the request."""
    return naming(number, len(request.starts), request.starts[number - 1], request.zone)


def numbered(visit: Appointment, zone: ZoneInfo) -> AbstractContextManager[None]:
    """Context manager in which a refusal names its visit of the series, or for combined visits its service."""
    if visit.is_combined:
        return describing(visit.service, visit.start, zone)
    return naming(visit.occurrence, visit.occurrences, visit.start, zone)


@contextmanager
def naming(number: int | None, count: int | None, start: datetime | None, zone: ZoneInfo) -> Iterator[None]:
    """Context manager in which a refusal begins with the number and the local time of its visit, as Medplum's do."""
    try:
        yield
    except SchedulingError as refusal:
        refusal.occurrence, refusal.unnumbered = number, refusal.issues
        _prefix(refusal, _("Appointment %(number)s of %(count)s") % {"number": number, "count": count}, start, zone)
        raise


@contextmanager
def describing(service: HealthcareService | None, start: datetime | None, zone: ZoneInfo) -> Iterator[None]:
    """Context manager in which a refusal begins with the service and the local time of its visit."""
    try:
        yield
    except SchedulingError as refusal:
        _prefix(refusal, text_of(service, "name") if service else _("Visit"), start, zone)
        raise


def _prefix(refusal: SchedulingError, visit: str, start: datetime | None, zone: ZoneInfo) -> None:
    assert start is not None  # each visit of a series has a time
    text = _("%(visit)s (%(when)s): %(problem)s")
    named = {"visit": visit, "when": in_short(start, zone)}
    refusal.issues = tuple(replace(each, text=text % {**named, "problem": each.text}) for each in refusal.issues)
    refusal.args = ("; ".join(issue.text for issue in refusal.issues),)
