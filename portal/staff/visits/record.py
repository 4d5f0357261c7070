"""A visit as staff read it: patient, answers, coverages and history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.models import (
    Appointment,
    AuditEvent,
    CardPhoto,
    Coverage,
    DeskPayment,
    Patient,
    PatientNote,
    Payment,
    QuestionnaireResponse,
    ServiceRequest,
    Task,
)
from portal.appointments import several, visits
from portal.appointments.referrals import ReferralDocument, documents_of
from portal.appointments.several import Several
from portal.appointments.statuses import STATUS_WORDS, Status
from portal.appointments.visits import Visit
from portal.staff.board.steps import Step, steps_after
from portal.staff.visits.moves import RecordedMove, moves_of
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.booking import HERE, PaymentOptions
from scheduling.booking.transitions import CORRECTIONS
from scheduling.interactions import patient_notes
from scheduling.participants import patients_of
from scheduling.payments import PAYABLE, Balance, balance_of

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
    "recall": _("Recall set"),
    "recall ended": _("Recall ended"),
    "recall declined": _("Recall declined by the patient"),
    "attend": _("The patient says they will come"),
    "check-in": _("The patient checked in"),
    "room": _("Room given"),
    "reschedule": _("Moved"),
    "cancel": _("Cancelled"),
    "restore": _("Cancellation undone"),
    "correct": _("Step undone"),
    "record": _("Recorded"),
    "amend": _("Changed"),
    "pay": _("Payment begun"),
    "paid": _("Paid online"),
    "refund": _("Money refunded"),
    "waive": _("Payment waived"),
    "settle": _("Payment settled otherwise"),
    "desk payment": _("Payment taken at the desk"),
    "desk correction": _("Payment at the desk corrected"),
    "item taken": _("Taken from the to-do list"),
    "item put back": _("Put back on the to-do list"),
    "item arranged": _("Given to somebody or put off"),
    "fee": _("Fee charged"),
    "merge": _("Patient record merged"),
    "no duplicate": _("Marked as a different person from a similar record"),
    "perhaps a duplicate": _("No longer marked as a different person"),
    "unmerge": _("Merge of the patient record undone"),
    "join": _("Joined the waiting list"),
    "prioritise": _("Urgency on the waiting list changed"),
    "call": _("Called about the waiting list"),
    "call removed": _("Note of a call removed"),
    "offer": _("Offered a time that came free"),
    "pass": _("Let the offered time go to the next person"),
    "take": _("Took the offered time"),
    "unlist": _("Left the waiting list"),
    "note": _("Internal note written"),
    "note changed": _("Internal note changed"),
    "note removed": _("Internal note removed"),
    "create": _("Record created"),
    "read": _("Looked at"),
    "vread": _("Earlier version looked at"),
    "search": _("Seen in a list"),
    "history": _("History looked at"),
    "update": _("Record changed"),
    "delete": _("Record deleted"),
    "erasure asked": _("Deletion of everything requested"),
    "erasure withdrawn": _("Request for deletion withdrawn"),
    "erasure declined": _("Request for deletion declined"),
    "erase": _("Everything about the patient deleted"),
    "export": _("Everything about the patient exported"),
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
    together: list[Visit]
    referral: ServiceRequest | None
    documents: list[ReferralDocument]
    recall: Task | None
    notes: list[PatientNote]

    @property
    def can_be_recalled(self) -> bool:
        """True if staff can have the patient seen again after this visit."""
        appointment = self.visit.appointment
        return self.recall is None and appointment.patient is not None and appointment.service is not None

    @property
    def several(self) -> list[Several]:
        """The groups of visits that can be changed together with this one."""
        return several.choices(self.visit, self.together)

    @property
    def steps(self) -> tuple[Step, ...]:
        return steps_after(Status(self.visit.appointment.status), self.visit.start, self.visit.now)

    @property
    def can_have_room(self) -> bool:
        """True if the patient has come, or can be recorded as arrived now."""
        return self.visit.appointment.status in HERE or any(step.status in HERE for step in self.steps)

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


@dataclass(frozen=True)
class PaymentRecord:
    """The payments of a visit, the latest first, what was taken at the desk, and what can be done about them."""

    payments: Sequence[Payment]
    at_desk: Sequence[DeskPayment]
    balance: Balance
    options: PaymentOptions
    can_take: bool

    @property
    def can_change(self) -> bool:
        return bool(self.options.refundable or self.options.fee or self.options.can_waive)

    @property
    def is_empty(self) -> bool:
        """True if nothing was paid and nothing is due."""
        return not (self.payments or self.at_desk or self.options.is_due)

    @property
    def correctable(self) -> list[DeskPayment]:
        """Payments at the desk that have no counter entry."""
        corrected = {each.corrects_id for each in self.at_desk}
        return [each for each in self.at_desk if each.corrects_id is None and each.pk not in corrected]


def payments_of(appointment: Appointment) -> PaymentRecord | None:
    """Return the payments of a visit; None if there are none, none is due, and none can be taken."""
    options = booking.payment_options(appointment)
    can_take = appointment.patient_id is not None and appointment.status in PAYABLE
    if not (appointment.has_payment or options.is_due or can_take):
        return None
    balance = balance_of(appointment)
    if not appointment.has_payment:
        return PaymentRecord((), (), balance, options, can_take)
    rows = Payment.objects.filter(appointments=appointment).prefetch_related("orders")
    at_desk = DeskPayment.objects.filter(appointment=appointment).select_related("taken_by")
    return PaymentRecord(list(rows), list(at_desk), balance, options, can_take)


def _responses(caller: Caller, appointment: Appointment) -> list[QuestionnaireResponse]:
    may_see = access.may_see_answers(caller, appointment)
    return list(appointment.questionnaire_responses.all()) if may_see else []


def read(caller: Caller, appointment_id: str, *, now: datetime) -> StaffVisit | None:
    """Return the visit if the caller works with it, else None. A constant number of queries."""
    seen = access.staff_appointments(caller).filter(fhir_id=appointment_id, deleted_at=None).select_related("referral")
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
        responses=_responses(caller, visit.appointment),
        coverages=list(_coverages(caller, patient)) if patient else [],
        together=several.staff_together(caller, visit.appointment, now=now),
        history=[_entry(event, visit.zone, moves) for event in _events(visit.appointment)],
        referral=visit.appointment.referral,
        documents=documents_of(visit.appointment.referral) if visit.appointment.referral else [],
        recall=_recall(visit.appointment),
        notes=list(patient_notes.notes_of(patient).filter(appointment=visit.appointment, ended=None))
        if patient
        else [],
    )


def _recall(appointment: Appointment) -> Task | None:
    """Return the open recall of the visit's patient for its service."""
    rows = Task.objects.filter(Task.open(), patient=appointment.patient_id, service=appointment.service_id)
    return rows.first()


def _coverages(caller: Caller, patient: Patient) -> QuerySet[Coverage]:
    active = access.visible(Coverage, caller).filter(status=Coverage.Status.ACTIVE, deleted_at=None)
    return active.filter(beneficiary=patient).prefetch_related(Prefetch("photos", CardPhoto.objects.defer("image")))


def _events(appointment: Appointment) -> QuerySet[AuditEvent]:
    """The audit lines of the visit, of those that were written for several patients the first."""
    lines = AuditEvent.objects.filter(appointment=appointment).order_by("recorded", "subtype", "pk")
    once = lines.distinct("recorded", "subtype")
    return AuditEvent.objects.filter(pk__in=once.values("pk")).select_related("user").order_by("recorded", "pk")


def _entry(event: AuditEvent, zone: ZoneInfo, moves: Mapping[datetime, RecordedMove]) -> HistoryEntry:
    who = event.user.display_name if event.user else event.client
    move = moves.get(event.recorded)
    return HistoryEntry(
        event.recorded.astimezone(zone), ACTIONS.get(event.subtype, event.subtype), who, event.reason, move
    )


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
