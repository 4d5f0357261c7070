"""A visit as the people who give it read it: the patient, their answers, what was done and said about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment, AuditEvent, Coverage, Patient, QuestionnaireResponse
from portal.appointments import visits
from portal.appointments.visits import STATUS_WORDS, Status, Visit
from portal.staff.board import board
from portal.staff.board.board import Step
from portal.staff.visits.moves import Move, moves_of
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.booking.appointments import CORRECTIONS

# What an audit line's use case reads like.
DEEDS = {
    "hold": _("Held"),
    "extend": _("Held longer"),
    "name": _("Patient named"),
    "expire": _("Hold ended"),
    "book": _("Booked"),
    "request": _("Requested"),
    "accept": _("Accepted"),
    "decline": _("Declined"),
    "respond": _("Answered"),
    "confirm": _("Confirmed"),
    "attend": _("The patient says they will come"),
    "reschedule": _("Moved"),
    "cancel": _("Cancelled"),
    "restore": _("Cancellation undone"),
    "correct": _("Step undone"),
    "record": _("Recorded"),
    "amend": _("Changed"),
    "wrong birth date": _("Wrong date of birth by link"),
    **{status.value: word.word for status, word in STATUS_WORDS.items()},
}


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the history, in the visit's zone.

    `who` is a person, software, or how one came without signing in; `move` says from when to when it was moved.
    """

    when: datetime
    what: Any
    who: str
    why: str
    move: Move | None = None


@dataclass(frozen=True, kw_only=True)
class StaffVisit:
    """Everything about one visit, for a member of staff."""

    visit: Visit
    patient: Patient | None
    age: int | None
    can_be_restored: bool
    responses: list[QuestionnaireResponse]
    coverages: list[Coverage]
    history: list[Deed]

    @property
    def steps(self) -> tuple[Step, ...]:
        return board.steps_after(Status(self.visit.appointment.status), self.visit.start, self.visit.now)

    @property
    def corrections(self) -> list[tuple[str, Any]]:
        """The steps that can be taken back to, with their words."""
        back = CORRECTIONS.get(self.visit.appointment.status, frozenset())
        return [(status.value, word.word) for status, word in STATUS_WORDS.items() if status in back]


def read(caller: Caller, appointment_id: str, *, now: datetime) -> StaffVisit | None:
    """The visit, if it is one that the caller works with. A constant number of queries."""
    seen = access.staff_appointments(caller).filter(fhir_id=appointment_id, deleted_at=None)
    visit = next(iter(visits.at_their_sites(seen, now=now)), None)
    if visit is None:
        return None
    patient = visit.appointment.patient
    moves = moves_of(visit.appointment, visit.zone)
    return StaffVisit(
        visit=visit,
        patient=patient,
        age=_age(patient.birth_date, visit.start.date()) if patient and patient.birth_date else None,
        can_be_restored=visit.start > now and booking.can_be_restored(visit.appointment),
        responses=list(visit.appointment.questionnaire_responses.all()),
        coverages=list(_coverages(caller, patient)) if patient else [],
        history=[_deed(event, visit.zone, moves) for event in _events(visit.appointment)],
    )


def _coverages(caller: Caller, patient: Patient) -> QuerySet[Coverage]:
    return access.visible(Coverage, caller).filter(beneficiary=patient, status=Coverage.Status.ACTIVE, deleted_at=None)


def _events(appointment: Appointment) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(appointment=appointment).select_related("user").order_by("recorded", "pk")


def _deed(event: AuditEvent, zone: ZoneInfo, moves: Mapping[datetime, Move]) -> Deed:
    who = (event.user.get_full_name() or event.user.email) if event.user else event.client
    move = moves.get(event.recorded)
    return Deed(event.recorded.astimezone(zone), DEEDS.get(event.subtype, event.subtype), who, event.reason, move)


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
