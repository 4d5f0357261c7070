"""A visit as staff read it: patient, answers, coverages and history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment, AuditEvent, Coverage, Patient, QuestionnaireResponse
from portal.appointments import visits
from portal.appointments.statuses import STATUS_WORDS, Status
from portal.appointments.visits import Visit
from portal.staff.board import board
from portal.staff.board.board import Step
from portal.staff.visits.moves import RecordedMove, moves_of
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.booking.transitions import CORRECTIONS
from scheduling.participants import patients_of

# Labels of the use cases in audit events.
ACTIONS = {
    "hold": _("Held"),
    "extend": _("Held longer"),
    "name": _("Patient named"),
    "expire": _("Hold ended"),
    "book": _("Booked"),
    "request": _("Requested"),
    "accept": _("Accepted"),
    "decline": _("Declined"),
    "suggest": _("Another time suggested"),
    "keep": _("Suggested time refused"),
    "leave": _("One patient cancelled"),
    "respond": _("Answered"),
    "confirm": _("Confirmed"),
    "attend": _("The patient says they will come"),
    "reschedule": _("Moved"),
    "cancel": _("Cancelled"),
    "restore": _("Cancellation undone"),
    "correct": _("Step undone"),
    "record": _("Recorded"),
    "amend": _("Changed"),
    "merge": _("Patient record merged"),
    "unmerge": _("Merge of the patient record undone"),
    "wrong birth date": _("Wrong date of birth by link"),
    **{status.value: word.word for status, word in STATUS_WORDS.items()},
}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history, in the visit's zone.

    `who` is a user, an API client, or the way of access without signing in; `move` has the times before and after.
    """

    when: datetime
    what: Any
    who: str
    why: str
    move: RecordedMove | None = None


@dataclass(frozen=True, kw_only=True)
class StaffVisit:
    """Everything about one visit, for a member of staff."""

    visit: Visit
    patient: Patient | None
    others: list[Patient]
    age: int | None
    can_be_restored: bool
    responses: list[QuestionnaireResponse]
    coverages: list[Coverage]
    history: list[HistoryEntry]

    @property
    def steps(self) -> tuple[Step, ...]:
        return board.steps_after(Status(self.visit.appointment.status), self.visit.start, self.visit.now)

    @property
    def can_say_they_come(self) -> bool:
        """True if the visit is still to come and its patient has not confirmed it yet."""
        return self._is_to_come and self.visit.appointment.attendance_confirmed is None

    @property
    def says_they_come(self) -> bool:
        """True if the visit is still to come and its patient has confirmed it."""
        return self._is_to_come and self.visit.appointment.attendance_confirmed is not None

    @property
    def _is_to_come(self) -> bool:
        return self.visit.is_booked and self.visit.start > self.visit.now

    @property
    def corrections(self) -> list[tuple[str, Any]]:
        """The statuses to which a mistake can be corrected, with their labels."""
        back = CORRECTIONS.get(self.visit.appointment.status, frozenset())
        return [(status.value, word.word) for status, word in STATUS_WORDS.items() if status in back]


def read(caller: Caller, appointment_id: str, *, now: datetime) -> StaffVisit | None:
    """Return the visit if the caller works with it, else None. A constant number of queries."""
    seen = access.staff_appointments(caller).filter(fhir_id=appointment_id, deleted_at=None)
    visit = next(iter(visits.at_their_sites(seen, now=now)), None)
    if visit is None:
        return None
    patient = visit.appointment.patient
    moves = moves_of(visit.appointment, visit.zone)
    return StaffVisit(
        visit=visit,
        patient=patient,
        others=patients_of(visit.appointment)[1:],
        age=_age(patient.birth_date, visit.start.date()) if patient and patient.birth_date else None,
        can_be_restored=visit.start > now and booking.can_be_restored(visit.appointment),
        responses=list(visit.appointment.questionnaire_responses.all()),
        coverages=list(_coverages(caller, patient)) if patient else [],
        history=[_entry(event, visit.zone, moves) for event in _events(visit.appointment)],
    )


def _coverages(caller: Caller, patient: Patient) -> QuerySet[Coverage]:
    return access.visible(Coverage, caller).filter(beneficiary=patient, status=Coverage.Status.ACTIVE, deleted_at=None)


def _events(appointment: Appointment) -> QuerySet[AuditEvent]:
    """The audit lines of the visit, of those that were written for several patients the first."""
    lines = AuditEvent.objects.filter(appointment=appointment).order_by("recorded", "subtype", "pk")
    once = lines.distinct("recorded", "subtype")
    return AuditEvent.objects.filter(pk__in=once.values("pk")).select_related("user").order_by("recorded", "pk")


def _entry(event: AuditEvent, zone: ZoneInfo, moves: Mapping[datetime, RecordedMove]) -> HistoryEntry:
    who = (event.user.get_full_name() or event.user.email) if event.user else event.client
    move = moves.get(event.recorded)
    return HistoryEntry(
        event.recorded.astimezone(zone), ACTIONS.get(event.subtype, event.subtype), who, event.reason, move
    )


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
