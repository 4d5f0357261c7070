"""Removal of details from visible rows that only some callers may see."""

from collections.abc import Collection
from copy import copy
from typing import Any, TypeVar

from django.db.models import Model

from clinic.fhir.references import local_reference
from clinic.models import Appointment, Patient, RelatedPerson, Schedule
from scheduling.access.callers import Caller
from scheduling.participants import actor_of

M = TypeVar("M", bound=Model)

# Types of participants that identify the patients of a visit.
IDENTIFYING_TYPES = (Patient.RESOURCE_TYPE, RelatedPerson.RESOURCE_TYPE)


def redacted(row: M, caller: Caller) -> M:
    """The row without details that the caller may not see.

    Only the visit's page shows the address of a video room. Only staff and software see the other patients of a visit
    and those who care for them.
    """
    if isinstance(row, Schedule) and not (caller.is_system or row.pk in caller.own_calendars):
        row.meeting_url = ""
    if isinstance(row, Appointment) and not _sees_all_participants(caller):
        visible = copy(row)
        visible.participant = [each for each in row.participant if _sees_participant(each, caller)]
        return visible
    return row


def visible_people(caller: Caller) -> Collection[str] | None:
    """FHIR references of the patients and carers whom the caller may see as participants of visits; None for all.

    A search by participant must not reveal more than reading a visit does.
    """
    return None if _sees_all_participants(caller) else caller.people


def _sees_all_participants(caller: Caller) -> bool:
    return caller.is_system or caller.is_staff


def _sees_participant(participant: dict[str, Any], caller: Caller) -> bool:
    actor = participant.get("actor", {})
    reference = local_reference(actor_of(participant))
    kinds = {reference.partition("/")[0], actor.get("type")}
    return kinds.isdisjoint(IDENTIFYING_TYPES) or reference in caller.people
