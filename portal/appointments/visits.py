"""Visits as the pages show them to patients."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest

from clinic import time_text, visit_place
from clinic.local_time import in_zone, later
from clinic.models import Appointment, Patient, QuestionnaireResponse, Slot
from portal.appointments.statuses import HOLD_OVER, StatusWord, status_of
from portal.common.callers import caller_of
from scheduling import access, booking, payments
from scheduling.access import Caller
from scheduling.booking import Due
from scheduling.facts import VisitFacts
from scheduling.notifications import CalendarLink, calendar_links
from scheduling.participants import (
    PRACTITIONER,
    attending,
    is_group,
    patient_named,
    references_of,
    visit_of_patient,
)
from scheduling.visit_zone import zones_of_place

Status = Appointment.Status
ANSWERED = (QuestionnaireResponse.Status.COMPLETED, QuestionnaireResponse.Status.AMENDED)
TAKING_PLACE = (Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN)
ROOM_OPENS_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Visit(VisitFacts):
    """An appointment as of `now`. Times are local to `zone`, which the patient chose, or else the site's (`there`).

    `suggestion` is the other time that the clinic suggests for a request. `with_others` is True if patients come for
    whom the reader does not act, `shares_answers` is False if the patient shares only their visits with the reader.
    `due` is what is still to be paid, on pages that say it.
    """

    now: datetime
    there: ZoneInfo | None = None
    suggestion: "Visit | None" = None
    with_others: bool = False
    shares_answers: bool = True
    due: Due | None = None

    @property
    def can_be_paid(self) -> bool:
        """True if what is due for the visit can be paid online."""
        return self.due is not None and self.appointment.patient is not None and payments.is_set_up()

    @property
    def practitioner(self) -> str:
        """The id of the first practitioner, to offer times with the same person again."""
        practitioners = references_of(self.appointment.participant, PRACTITIONER)
        return practitioners[0].partition("/")[2] if practitioners else ""

    @property
    def start_there(self) -> datetime | None:
        """The start in the site's zone, or None if that is the zone the patient reads."""
        if self.there is None or not time_text.differ(self.start, self.zone, self.there):
            return None
        return in_zone(self.start, self.there)

    @property
    def where(self) -> str:
        """The site and its town; empty for a visit by video."""
        return visit_place.site_and_town(self.site) if self.site else ""

    @property
    def meeting_url(self) -> str:
        """URL of the visit's video room; empty if it is in person or has no room."""
        rooms = (slot.schedule.meeting_url for slot in self.appointment.slots.all() if slot.deleted_at is None)
        return next((room for room in rooms if room), "") if self.by_video else ""

    @property
    def map_url(self) -> str:
        """URL of a map of the site; empty if its address is not known."""
        return visit_place.map_url(self.site)

    @property
    def calendar_links(self) -> list[CalendarLink]:
        """The links that add the visit to a calendar on the web."""
        return calendar_links(self)

    @property
    def told_by_text(self) -> bool:
        """True if the patient gets messages about the visit by text alone."""
        patient = self.appointment.patient
        return bool(settings.SMS_ENABLED and patient and patient.phone and not patient.email and not patient.user_id)

    @property
    def has_questions(self) -> bool:
        """True if the patient has answered the visit's questions."""
        return any(each.status in ANSWERED for each in self.appointment.questionnaire_responses.all())

    @property
    def room_opens(self) -> datetime:
        return in_zone(later(self.start.astimezone(UTC), -ROOM_OPENS_BEFORE), self.zone)

    @property
    def is_room_open(self) -> bool:
        """True if the patient can join now: from ROOM_OPENS_BEFORE until the visit is over."""
        return bool(self.meeting_url) and self.takes_place and self.room_opens <= self.now < self.end

    @property
    def takes_place(self) -> bool:
        return self.appointment.status in TAKING_PLACE

    @property
    def is_held(self) -> bool:
        """True if the time is still held for the patient to confirm."""
        return self.appointment.status == Status.PENDING and not (self.is_hold_over or self.is_request)

    @property
    def is_hold_over(self) -> bool:
        expires = self.appointment.hold_expires_at
        return self.appointment.status == Status.PENDING and expires is not None and expires <= self.now

    @property
    def hold_ends(self) -> datetime | None:
        expires = self.appointment.hold_expires_at
        return expires.astimezone(self.zone) if expires else None

    @property
    def status(self) -> StatusWord:
        return HOLD_OVER if self.is_hold_over else status_of(self.appointment)

    @property
    def is_upcoming(self) -> bool:
        return self.end > self.now and self.appointment.status not in (Status.CANCELLED, Status.NOSHOW)

    @property
    def is_changeable(self) -> bool:
        return self.can_be_cancelled(self.now)

    @property
    def policy_now(self) -> str:
        return self.policy(self.now)

    @property
    def can_check_in_now(self) -> bool:
        return self.can_check_in(self.now)

    @property
    def check_in_times_now(self) -> str:
        """The sentence that says when the patient can check in; empty while they can."""
        return "" if self.can_check_in_now else self.check_in_times(self.now)

    @property
    def is_movable(self) -> bool:
        """True if the patient can choose another time."""
        return self.can_be_moved(self.now) and not self.with_others

    @property
    def can_wait(self) -> bool:
        """True if the patient can wait for an earlier time of the visit."""
        service = self.appointment.service
        return self.is_booked and self.is_movable and service is not None and service.has_waitlist

    @property
    def can_be_booked_again(self) -> bool:
        """True if staff can book another visit like it: it has a patient and a service, and is more than a hold."""
        return self.appointment.patient is not None and self.appointment.service is not None and not self.is_held


def of(caller: Caller, *, now: datetime) -> list[Visit]:
    """Return the visits and current holds of the caller and of the people they care for, earliest first.

    Holds that expired or were released are left out; what the clinic suggests for a request is part of that.
    """
    gone = Q(status=Status.PENDING, hold_expires_at__lte=now) | Q(
        status=Status.CANCELLED, participant__contains=[{"status": "tentative"}]
    )
    rows = _with_all(_own(caller).filter(suggested_for=None)).exclude(status=Status.ENTERED_IN_ERROR)
    rows = rows.exclude(start=None).exclude(gone)
    return _visits((as_theirs(row, caller) for row in rows.order_by("start", "pk")), now, caller)


def held_by(caller: Caller, *, now: datetime) -> list[Visit]:
    """Return the current holds among them."""
    return [visit for visit in of(caller, now=now) if visit.is_held]


def one(caller: Caller, fhir_id: str, *, now: datetime) -> Visit | None:
    """Return the visit with this id if it is the caller's, a dependant's, or the caller held it as a guest."""
    appointment = _with_all(_own(caller).filter(fhir_id=fhir_id)).exclude(start=None).first()
    return None if appointment is None else _visits([as_theirs(appointment, caller)], now, caller)[0]


def with_dues(visits: Sequence[Visit]) -> list[Visit]:
    """Return the visits with what is still to be paid for each."""
    dues = booking.dues_of(visit.appointment for visit in visits)
    return [replace(visit, due=dues.get(visit.appointment.pk)) for visit in visits]


def together(visit: Visit, caller: Caller) -> list[Visit]:
    """Return the visits that were booked together with this one and that the caller may see, and itself, in order.

    None for a visit that was booked alone.
    """
    if visit.appointment.series is None:
        return []
    rows = access.visible(Appointment, caller).filter(series=visit.appointment.series, start__isnull=False)
    rows = _with_all(rows.filter(deleted_at=None)).exclude(status=Status.ENTERED_IN_ERROR).order_by("start", "pk")
    return _visits([as_theirs(row, caller) for row in rows], visit.now, caller)


def own_visit(request: HttpRequest, appointment_id: str, now: datetime) -> Visit:
    """Return the caller's visit. Raises Http404 for a visit that the caller may not see."""
    visit = one(caller_of(request), appointment_id, now=now)
    if visit is None:
        raise Http404
    return visit


def first(rows: QuerySet[Appointment], *, now: datetime) -> Visit | None:
    """Return the first of these appointments as a visit. The rows must be ones the caller may see."""
    appointment = _with_all(rows).exclude(start=None).first()
    return None if appointment is None else _visits([appointment], now)[0]


def at_their_sites(rows: QuerySet[Appointment], *, now: datetime) -> list[Visit]:
    """Return the rows as visits in their order, with times in the zones of their sites, as staff read them."""
    appointments = list(_with_all(rows).exclude(start=None))
    zones = zones_of_place(appointments)
    suggestions = suggestions_of(appointments, zones, now=now)
    return [Visit(each, zones[each.pk], now, suggestion=suggestions.get(each.pk)) for each in appointments]


def for_patient(rows: QuerySet[Appointment], *, now: datetime) -> list[Visit]:
    """The visits in the order of the rows, by the clocks that their patients read."""
    return _visits(_with_all(rows), now)


def by_link(fhir_id: str, patient_id: str, *, now: datetime) -> Visit | None:
    """Return the visit with this id, as the patient of its manage link has it. The caller must hold that link.

    A link that names no patient opens no visit of several, since it does not say for which of them it is.
    """
    appointment = _with_all(Appointment.objects.filter(fhir_id=fhir_id, deleted_at=None)).exclude(start=None).first()
    if appointment is None:
        return None
    if is_group(appointment):
        patient = patient_named(appointment, patient_id)
        if patient is None:
            return None
        appointment = _for_one(appointment, patient)
    patient = appointment.patient
    holder = Caller(visit=fhir_id, visit_patient=patient.reference if patient else "")
    return _visits([appointment], now, holder)[0]


def as_theirs(appointment: Appointment, caller: Caller) -> Appointment:
    """The visit as the caller's patient has it. Of several patients of theirs, one who still comes is named."""
    if not is_group(appointment):
        return appointment
    coming = attending(appointment.participant)
    own = [each for each in caller.patients.values() if each.reference in references_of(appointment.participant)]
    patient = next((each for each in own if each.reference in coming), next(iter(own), None))
    return appointment if patient is None else _for_one(appointment, patient)


def _for_one(appointment: Appointment, patient: Patient) -> Appointment:
    """The visit as this patient has it, with nothing but their own answers."""
    visit = visit_of_patient(appointment, patient)
    answers = [each for each in appointment.questionnaire_responses.all() if each.patient_id == patient.pk]
    visit.set_prefetched("questionnaire_responses", answers)
    return visit


def _own(caller: Caller) -> QuerySet[Appointment]:
    """Return the caller's appointments as patient, carer or guest, without what they may see as staff."""
    own = Q(patient__in=caller.patients)
    if caller.visits_with_others:
        own |= Q(pk__in=caller.visits_with_others)
    if caller.user is not None:
        own |= Q(held_by=caller.user, patient=None)
    if caller.guest:
        own |= Q(held_by_guest=caller.guest_digest)
    if caller.proven_tickets:
        own |= Q(referral__fhir_id__in=caller.proven_tickets)
    return access.visible(Appointment, caller).filter(own, deleted_at=None)


RESPONSES = QuestionnaireResponse.objects.filter(deleted_at=None).select_related("questionnaire", "appointment__site")


def _with_all(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Add the related rows that a visit's page reads."""
    taken = Slot.objects.exclude(status=Slot.Status.BUSY_UNAVAILABLE).order_by("-pk")
    return rows.select_related("service", "site", "patient").prefetch_related(
        Prefetch("slots", taken.select_related("schedule")),
        Prefetch("questionnaire_responses", RESPONSES),
    )


def _visits(appointments: Iterable[Appointment], now: datetime, caller: Caller | None = None) -> list[Visit]:
    """Return the appointments as visits, with times in the zones that their patients read."""
    appointments = list(appointments)
    there = zones_of_place(appointments)
    zones = {each.pk: visit_place.zone_for_patient(each, there[each.pk]) for each in appointments}
    suggestions = suggestions_of(appointments, zones, now=now)
    return [
        Visit(
            each,
            zones[each.pk],
            now,
            there[each.pk],
            suggestions.get(each.pk),
            with_others=_has_others(each, caller),
            shares_answers=caller is None or access.may_see_answers(caller, each),
        )
        for each in appointments
    ]


def _has_others(appointment: Appointment, caller: Caller | None) -> bool:
    """True if patients come to the visit for whom the caller does not act."""
    if caller is None or not is_group(appointment):
        return False
    return not caller.own_references.issuperset(attending(appointment.participant))


def suggestions_of(
    appointments: Iterable[Appointment], zones: Mapping[int, ZoneInfo], *, now: datetime
) -> dict[int, Visit]:
    """Return the times that the clinic suggests for these requests, by primary key. One query if there are requests."""
    standing = booking.standing_suggestions(appointments, now=now)
    return {pk: Visit(suggestion, zones[pk], now) for pk, suggestion in standing.items()}
