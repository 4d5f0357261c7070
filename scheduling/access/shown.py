"""What somebody is shown of the rows that they may see."""

from collections.abc import Collection
from copy import copy
from typing import Any, TypeVar

from django.db.models import Model

from clinic.fhir.references import local_reference
from clinic.models import Appointment, Patient, RelatedPerson, Schedule
from scheduling.access.callers import Caller

M = TypeVar("M", bound=Model)

# Participants who tell which patients come to a visit.
TELLING = (Patient.RESOURCE_TYPE, RelatedPerson.RESOURCE_TYPE)


def as_shown(row: M, caller: Caller) -> M:
    """The row without what only some of those who may see it may know.

    Into a video room lets the visit's page. Which other patients come to a visit, and who cares for them, is for who
    works here.
    """
    if isinstance(row, Schedule) and not (caller.is_system or row.pk in caller.own_calendars):
        row.meeting_url = ""
    if isinstance(row, Appointment) and not _is_shown_all(caller):
        shown = copy(row)
        shown.participant = [each for each in row.participant if _is_shown(each, caller)]
        return shown
    return row


def shown_people(caller: Caller) -> Collection[str] | None:
    """Of the patients and carers who come to a visit those whom the caller is shown, as FHIR references; None for all.

    Whoever looks for visits by who takes part is told of the others no more than by reading one.
    """
    return None if _is_shown_all(caller) else caller.people


def _is_shown_all(caller: Caller) -> bool:
    return caller.is_system or caller.is_staff


def _is_shown(participant: dict[str, Any], caller: Caller) -> bool:
    actor = participant.get("actor", {})
    reference = local_reference(str(actor.get("reference", "")))
    kinds = {reference.partition("/")[0], actor.get("type")}
    return kinds.isdisjoint(TELLING) or reference in caller.people
