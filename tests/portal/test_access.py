"""Access to every address by everybody who has no right to it: they learn nothing about Ada, and change nothing.

An address without a row in the table fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from clinic import models
from scheduling import questionnaires
from scheduling.notifications import links
from tests.factories import (
    AbsenceFactory,
    AppointmentFactory,
    CalendarFeedFactory,
    CommunicationFactory,
    CoverageFactory,
    DuplicatePairFactory,
    ImportFileFactory,
    LaunchFactory,
    LocationFactory,
    MessagePreferencesFactory,
    PatientNoteFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RecallFactory,
    ReferralFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    StaffMessageFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

OPEN, OWN, ADAS, STAFF, CALENDAR, SECRET = "open", "own", "Ada's", "staff", "a calendar's", "secret"
REFERRER, DESK, WORKLIST = "a referrer's", "any front desk's", "staff's, with what any front desk mends"
BIRTHDAY = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}
PERSON = {"given": "Mallory", "family": "Roe", "relationship": "PRN", "email": "mallory@example.com", **BIRTHDAY}
SAVE = {"step": "save", "version": "1"}
_TODAY = datetime.now(UTC).date()
LATER = str(_TODAY + timedelta(days=350 + (1 - _TODAY.weekday()) % 7))  # a Tuesday
TAKEN_BACK = 204  # the response of `presence`, whatever is posted


@dataclass(frozen=True)
class Row:
    """An address: who may open it, the posted data, and the rows that it names.

    OPEN to everybody, and tells nothing of a patient; OWN shows who has signed in what is theirs; ADAS is for her and
    who cares for her; STAFF for whoever works here, of their own calendars; CALENDAR for who works by that one;
    SECRET is for who has a secret that nobody here has, and REFERRER for the referrer who made the referral. DESK is
    for every front desk, which must find any patient, and WORKLIST for staff, where any front desk reads which records
    may be of one person.
    """

    whose: str
    post: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


HELD = {"appointment_id": "held"}
TABLE = {
    "services": Row(OPEN),
    "near": Row(OPEN, {"latitude": "1", "longitude": "1"}),
    "choose-time": Row(OPEN),
    "hold": Row(OPEN, {"time": "none"}),
    "course": Row(OPEN),
    "together": Row(OPEN),
    "deep-link": Row(OPEN),
    "set-language": Row(OPEN),
    "theme": Row(OPEN),
    "embed-script": Row(OPEN),
    "staff-embed": Row(STAFF),
    "start": Row(OWN),
    "details": Row(OWN, {"given": ""}),
    "visits": Row(OWN),
    "messages": Row(OWN),
    "messages-read": Row(OWN, {"message": "{message_id}"}),
    "preferences": Row(OWN, {"language": ""}),
    "feeds": Row(OWN),
    "apps": Row(OWN),
    "authorize": Row(OPEN),
    "authorize-decide": Row(OPEN, {"decision": "allow"}),
    "family": Row(OWN),
    "family-add": Row(OWN, {"given": ""}),
    "visit": Row(ADAS),
    "about": Row(ADAS, {"who": "{patient_id}", **PERSON}, HELD),
    "about-details": Row(ADAS, PERSON, HELD),
    "proof": Row(ADAS, {"code": "123456"}, HELD),
    "coverage": Row(ADAS, {"coverage": "another"}, HELD),
    "new-coverage": Row(ADAS, {"payor": "Acme", "member": "M-1"}, HELD),
    "also": Row(ADAS, names=HELD),
    "confirm": Row(ADAS, {"comment": "mine now"}, HELD),
    "pay": Row(ADAS, {"agree": "on"}, HELD),
    "payment": Row(ADAS, {}, HELD),
    "payment-webhook": Row(OPEN),
    "details-check": Row(ADAS, {}, HELD),
    "needs": Row(ADAS, {"interpreter": "uk"}, HELD),
    "my-details": Row(OWN),
    "details-of": Row(ADAS),
    "details-right": Row(ADAS),
    "details-name": Row(ADAS, PERSON),
    "details-address": Row(ADAS, {"city": "Nowhere"}),
    "details-needs": Row(ADAS, {"interpreter": "uk"}),
    "details-coverage-new": Row(ADAS, {"payor": "Acme", "member": "M-1"}),
    "details-coverage": Row(ADAS, {"payor": "Acme", "member": "M-1"}),
    "details-coverage-end": Row(ADAS),
    "details-card": Row(ADAS, {"remove": "front"}),
    "card-photo": Row(ADAS),
    "details-data": Row(ADAS),
    "details-export": Row(ADAS),
    "details-erase": Row(ADAS),
    "details-erase-withdraw": Row(ADAS),
    "booked": Row(ADAS),
    "let-go": Row(ADAS, {"leave": "1"}, HELD),
    "presence": Row(ADAS, {"left": "1"}, HELD),
    "keep": Row(ADAS, {}, HELD),
    "wait": Row(OPEN, {"notice": "none"}),
    "wait-about": Row(OPEN, {"given": ""}),
    "wait-proof": Row(OPEN, {"code": "123456"}),
    "wait-visit": Row(ADAS, {"notice": "2"}),
    "cancel": Row(ADAS, {"reason": "because"}),
    "answer-suggestion": Row(ADAS, {"answer": "accepted", "suggestion": "{suggestion_id}"}),
    "answer-times": Row(ADAS, {"answer": "call"}),
    "ics": Row(ADAS),
    "move": Row(ADAS, {"time": f"{LATER}T15:00:00Z~{{schedule_id}}", "confirm": "1"}),
    "join": Row(ADAS),
    "questions": Row(ADAS, {}, HELD),
    "questions-stop": Row(ADAS, {}, HELD),
    "questions-part": Row(ADAS, {"q-1": "mine", "shown": "q-1"}, HELD),
    "questions-save": Row(ADAS, {"q-1": "mine", "shown": "q-1"}, HELD),
    "answers": Row(ADAS),
    "answer-file": Row(ADAS),
    "feed-revoke": Row(ADAS),
    "app-stop": Row(ADAS),
    "family-change": Row(ADAS, PERSON),
    "family-remove": Row(ADAS),
    "carer-invite": Row(OWN, {"given": ""}),
    "carer-end": Row(ADAS, names={"carer_id": "related_id"}),
    "carer-invitation": Row(SECRET, {"answer": "accept"}),
    "practitioner": Row(OPEN),
    "site": Row(OPEN),
    "photo": Row(OPEN),
    "preferences-of": Row(ADAS, {"language": "es", "phone": "+1 212 555 0123"}),
    "manage": Row(SECRET, BIRTHDAY),
    "manage-wait": Row(SECRET, {"notice": "2"}),
    "waiting": Row(SECRET),
    "waiting-answer": Row(SECRET, {"answer": "take", "hold": "{held}"}),
    "waiting-change": Row(SECRET, {"notice": "2"}),
    "waiting-leave": Row(SECRET),
    "manage-move": Row(SECRET, {"time": f"{LATER}T15:00:00Z~{{schedule_id}}", "confirm": "1"}),
    "manage-attend": Row(SECRET),
    "manage-suggestion": Row(SECRET, {"answer": "accepted", "suggestion": "{suggestion_id}"}),
    "manage-times": Row(SECRET, {"answer": "call"}),
    "manage-cancel": Row(SECRET, {"reason": "because"}),
    "feed": Row(SECRET),
    "unsubscribe": Row(SECRET),
    "recall": Row(SECRET),
    "recall-decline": Row(SECRET),
    "sms-status": Row(SECRET, {"MessageStatus": "failed"}),
    "text-reply": Row(OPEN, {"MessageSid": "SM1", "From": "+12125550123", "Body": "STOP"}),
    "check-in": Row(ADAS),
    "manage-check-in": Row(SECRET, BIRTHDAY),
    "find-visit": Row(OPEN, {**BIRTHDAY, "known": "nobody@example.com"}),
    "found-visits": Row(OPEN),
    "found-visit": Row(OPEN),
    "ticket": Row(SECRET, BIRTHDAY),
    "referrals": Row(REFERRER),
    "referral-new": Row(REFERRER, {"service": "{service_id}", "reason": "because", **PERSON}),
    "referral": Row(REFERRER),
    "referral-book": Row(REFERRER, {"time": f"{LATER}T15:00:00Z~{{schedule_id}}", "confirm": "1"}),
    "referral-withdraw": Row(REFERRER),
    "referral-document": Row(REFERRER),
    "report": Row(STAFF, names={"kind": "kind_of_report"}),
    "report-file": Row(STAFF, names={"kind": "kind_of_report"}),
    "report-free-times": Row(STAFF),
    "report-free-times-file": Row(STAFF),
    "staff-referrals": Row(STAFF),
    "staff-referral": Row(CALENDAR),
    "staff-referral-withdraw": Row(CALENDAR),
    "staff-referral-document": Row(CALENDAR),
    "day": Row(STAFF),
    "week": Row(STAFF),
    "month": Row(STAFF),
    "agenda": Row(STAFF),
    "calendar-choose": Row(STAFF, {"site": "{site_id}", "calendars": "{schedule_id}"}),
    "calendar-events": Row(STAFF),
    "calendar-changes": Row(STAFF),
    "board": Row(STAFF),
    "worklist": Row(WORKLIST),
    "staff-notices": Row(STAFF),
    "staff-notices-latest": Row(STAFF),
    "staff-notices-seen": Row(STAFF, {"until": "2999-01-01T00:00:00Z"}),
    "staff-notices-settings": Row(STAFF, {"email": "booked", "version": "0"}),
    "worklist-item": Row(STAFF, {"owner": "", "version": "0"}, {"kind": "work_kind"}),
    "worklist-own": Row(STAFF, {"version": "0"}, {"kind": "work_kind"}),
    "staff-details": Row(STAFF, {"answer": "accepted"}),
    "staff-coverage": Row(CALENDAR, {"check": "verified", "version": "1"}),
    "staff-identity": Row(CALENDAR),
    "sheets": Row(STAFF),
    "staff-why": Row(STAFF),
    "checklist": Row(STAFF),
    "setup": Row(STAFF),
    "setup-clinic": Row(STAFF),
    "setup-sites": Row(STAFF, {**SAVE, "name": "Mallory", "timezone": "Europe/Paris"}),
    "setup-site": Row(STAFF, {**SAVE, "name": "Mallory", "timezone": "Europe/Paris", "status": "active"}),
    "setup-people": Row(STAFF, {**SAVE, "family": "Mallory"}),
    "setup-person": Row(STAFF, {**SAVE, "family": "Mallory"}),
    "setup-rooms": Row(STAFF, {**SAVE, "kind": "room", "name": "Mallory", "site": "1"}),
    "setup-room": Row(STAFF, {**SAVE, "name": "Mallory", "site": "1"}, {"room_id": "site_id"}),
    "setup-device": Row(STAFF, {**SAVE, "name": "Mallory", "site": "1"}, {"device_id": "site_id"}),
    "setup-services": Row(
        STAFF, {"kind": "gp", "templates": "gp-long", "days": "mon", "opens": "9:00", "closes": "17:00"}
    ),
    "setup-service-new": Row(STAFF, {**SAVE, "name": "Mallory", "duration": "10", "requires": "Practitioner"}),
    "setup-service": Row(STAFF, {**SAVE, "name": "Mallory", "duration": "10", "requires": "Practitioner"}),
    "setup-questionnaires": Row(STAFF, {"version": "1", "title": "Mallory"}),
    "setup-questionnaire": Row(STAFF, {"version": "1", "title": "Mallory", "status": "active"}),
    "setup-question-new": Row(STAFF, {"version": "1", "text": "Mallory?", "kind": "boolean"}),
    "setup-question": Row(STAFF, {"version": "1", "text": "Mallory?", "kind": "boolean"}, {"link_id": "number"}),
    "setup-questions-arrange": Row(STAFF, {"step": "remove", "question": "1"}),
    "setup-types": Row(STAFF),
    "setup-type": Row(STAFF, {"name": "Mallory"}, {"type_id": "number"}),
    "setup-type-remove": Row(STAFF, {}, {"type_id": "number"}),
    "setup-hours": Row(STAFF),
    "setup-week": Row(STAFF, {**SAVE, "whose": "services", "days": "mon", "opens": "9:00", "closes": "17:00"}),
    "setup-calendar": Row(STAFF, {**SAVE, "offers_all_services": "False"}),
    "setup-messages": Row(STAFF),
    "setup-preview": Row(STAFF),
    "closures": Row(STAFF, {"step": "save", "first": LATER, "last": LATER}),
    "closures-holidays": Row(STAFF, {"country": "US", "holiday": "2027 Labor Day"}),
    "closures-remove": Row(STAFF, {}, {"pk": "number"}),
    "closures-restore": Row(STAFF, {}, {"pk": "number"}),
    "people": Row(CALENDAR),
    "people-invite": Row(CALENDAR, {"email": "mallory@example.com", "roles": "manager"}),
    "people-person": Row(CALENDAR, {"roles": "manager"}, {"user_id": "account_id"}),
    "people-invite-again": Row(CALENDAR, names={"user_id": "account_id"}),
    "people-withdraw": Row(CALENDAR, names={"user_id": "account_id"}),
    "people-active": Row(CALENDAR, {"active": "no"}, {"user_id": "account_id"}),
    "people-end-sessions": Row(CALENDAR, names={"user_id": "account_id"}),
    "people-end-session": Row(CALENDAR, names={"user_id": "account_id", "session_id": "account_session"}),
    "people-second-step": Row(CALENDAR, {"roles": "reader", "grace": "0"}),
    "people-reset-second-step": Row(CALENDAR, names={"user_id": "account_id"}),
    "staff-invitation": Row(SECRET, {"password": "a-long-password"}),
    "sessions-end": Row(OWN),
    "session-end": Row(OWN, names={"session_id": "account_session"}),
    "exports": Row(CALENDAR),
    "export-file": Row(CALENDAR, names={"export_id": "number"}),
    "imports": Row(STAFF, {"kind": "patients"}),
    "import": Row(STAFF, {"step": "start", "lines": "good", "version": "1"}),
    "import-refused": Row(STAFF),
    "hours": Row(STAFF),
    "questionnaire-preview": Row(STAFF),
    "staff-payments": Row(DESK),
    "staff-patients": Row(STAFF, {"search": "Nobody"}),
    "staff-patient": Row(DESK),
    "staff-patient-edit": Row(DESK, {**PERSON, "phone": "", "version": "1"}),
    "staff-patient-coverage": Row(DESK, {"check": "verified", "version": "1"}),
    "staff-erasures": Row(CALENDAR),
    "staff-patient-data": Row(CALENDAR, {"typed_name": "Ada Quinn"}),
    "staff-patient-export": Row(CALENDAR),
    "staff-erasure-decline": Row(CALENDAR, {"reason": "because"}),
    "staff-duplicates": Row(DESK),
    "labels": Row(STAFF),
    "label-styles": Row(OPEN),
    "patient-labels": Row(DESK),
    "coming-visits": Row(DESK),
    "staff-duplicate-reject": Row(DESK),
    "staff-compare": Row(DESK, {"source_version": "1", "target_version": "1", "name": "source"}),
    "staff-unmerge": Row(DESK),
    "staff-notes": Row(DESK, {"text": "Calls at night"}),
    "staff-note": Row(DESK, {"text": "Calls at night"}, {"note_id": "patient_note"}),
    "staff-note-remove": Row(DESK, names={"note_id": "patient_note"}),
    "staff-find-patients": Row(STAFF, {"search": "Nobody"}),
    "waiting-list": Row(STAFF),
    "waiting-list-offers": Row(STAFF),
    "waiting-list-gaps": Row(STAFF),
    "waiting-list-give": Row(CALENDAR, dict.fromkeys(("start", "gap_start", "gap_end"), f"{LATER}T15:00:00Z")),
    "waiting-list-find": Row(STAFF, {"service": "{service_id}", "search": "Nobody"}),
    "waiting-list-join": Row(CALENDAR, {"notice": "2"}, {"service_id": "only_here"}),
    "waiting-list-call": Row(STAFF, {"outcome": "other"}),
    "waiting-list-call-remove": Row(STAFF, {}, {"call_id": "number"}),
    "waiting-list-priority": Row(CALENDAR, {"priority": "1"}),
    "waiting-list-remove": Row(CALENDAR),
    "staff-new-visit": Row(CALENDAR, {"calendar": "{schedule_id}", "service": "{service_id}", "date": LATER}),
    "staff-walk-in": Row(STAFF, {"service": "{service_id}", "take": "none"}),
    "staff-undo-walk-in": Row(CALENDAR, {"version": "1"}),
    "staff-peek": Row(CALENDAR),
    "staff-group": Row(CALENDAR),
    "staff-move": Row(CALENDAR, {"date": LATER, "time": "10:00", "minutes": "30", "version": "1"}),
    "staff-suggest": Row(CALENDAR, {"date": LATER, "time": "10:00", "minutes": "30", "version": "1"}),
    "staff-new-block": Row(CALENDAR, {"calendar": "{schedule_id}", "first": LATER, "save": "1"}),
    "staff-block": Row(CALENDAR, {"extent": "all"}),
    "staff-check-in": Row(CALENDAR),
    "staff-absences": Row(STAFF),
    "staff-new-absence": Row(STAFF, {"who": "{schedule_id}", "first": LATER}),
    "staff-absence": Row(CALENDAR),
    "staff-absence-change": Row(CALENDAR, {"who": "{schedule_id}", "first": LATER, "version": "1"}),
    "staff-absence-step": Row(CALENDAR, {"step": "end", "version": "1"}),
    "staff-absence-book": Row(CALENDAR, {"visit": "{appointment_id}", "hold": "{suggestion_id}"}),
    "staff-absence-called": Row(CALENDAR, {"rebooking": "1"}),
    "staff-messages": Row(STAFF),
    "staff-new-message": Row(STAFF, {"first": LATER, "subject": "Hello", "body": "Hello"}),
    "staff-message": Row(CALENDAR, names={"message_id": "note_id"}),
    "staff-message-change": Row(CALENDAR, {"version": "1"}, {"message_id": "note_id"}),
    "staff-message-step": Row(CALENDAR, {"step": "send", "version": "1"}, {"message_id": "note_id"}),
    "staff-late": Row(STAFF),
    "staff-late-undo": Row(CALENDAR, {"person": "{schedule_id}", "site": "{site_id}"}),
    "staff-kiosk": Row(CALENDAR),
    "staff-visit": Row(CALENDAR),
    "staff-room": Row(CALENDAR, {"version": "1", "room": "none", "status": "arrived"}),
    "staff-step": Row(CALENDAR, {"status": "arrived"}),
    "staff-cancel-several": Row(CALENDAR, {"reason": "because"}),
    "staff-move-several": Row(CALENDAR, {}),
    "staff-cancel": Row(CALENDAR, {"reason": "because"}),
    "staff-payment": Row(CALENDAR, {"action": "waive", "reason": "because"}),
    "staff-restore": Row(CALENDAR, {}),
    "staff-answer": Row(CALENDAR, {"answer": "declined"}),
    "staff-attendance": Row(CALENDAR, {}),
    "send-again": Row(CALENDAR),
    "text-read": Row(CALENDAR),
    "staff-recall": Row(CALENDAR, {"months": "6"}),
    "recall-end": Row(CALENDAR),
    "hours-edit": Row(CALENDAR, SAVE),
    "hours-remove": Row(CALENDAR, SAVE),
    "hours-settings": Row(CALENDAR, {**SAVE, "duration": "10"}),
    "hours-closures": Row(CALENDAR, {**SAVE, "first": LATER, "last": LATER}),
    "hours-closures-remove": Row(CALENDAR, {**SAVE, "entry": "{}"}),
    "hours-kept": Row(CALENDAR, {**SAVE, "days": "mon", "opens": "08:00", "closes": "10:00"}),
    "hours-kept-remove": Row(CALENDAR, {**SAVE, "entry": "{}"}),
    "hours-undo": Row(CALENDAR),
    "hours-extra": Row(CALENDAR, {**SAVE, "day": LATER, "opens": "18:00", "closes": "19:00"}),
    "hours-extra-remove": Row(CALENDAR, SAVE, {"slot_id": "extra"}),
}
PROVEN_BY_TOKEN = {"unsubscribe", "sms-status", "text-reply", "payment-webhook", "authorize"}


def addresses(resolver: Any = None, above: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The name and the parameters of each address of the pages; a name may stand for several."""
    for each in (resolver or get_resolver("portal.urls")).url_patterns:
        parameters = (*above, *each.pattern.converters)
        if isinstance(each, URLPattern):
            yield each.name, parameters
        else:
            yield from addresses(each, parameters)


@pytest.fixture
def clinic(ada, bo, checkup, schedule, site, ten) -> dict[str, Any]:
    """All rows about Ada, by the names of the addresses' parameters."""
    form = QuestionnaireFactory(item=[{"linkId": "1", "type": "attachment", "text": "A photograph"}])
    checkup.questionnaires.add(form)
    letter = questionnaires.file_entry(b"%PDF-1.7", "application/pdf", "letter.pdf")
    end, half_an_hour, tomorrow = ten + timedelta(minutes=30), timedelta(minutes=30), ten - timedelta(days=1)
    of_ada = {"patient": ada, "service": checkup, "site": site, "schedules": [schedule]}
    visit = AppointmentFactory(**of_ada, start=ten, end=end, comment="Quinn's own words")
    held = AppointmentFactory(
        **of_ada, start=end, end=end + half_an_hour, status="pending", hold_expires_at=timezone.now() + half_an_hour
    )
    answers = QuestionnaireResponseFactory(
        appointment=visit, questionnaire=form, item=[{"linkId": "1", "answer": [{"valueAttachment": letter}]}]
    )
    message = CommunicationFactory(appointment=visit, medium="in-app", status="completed", sent=timezone.now())
    failed = CommunicationFactory(appointment=visit, status="not-done", attempts=5, occasion="0")
    CoverageFactory(beneficiary=ada)
    MessagePreferencesFactory(patient=ada)
    related = RelatedPersonFactory(user=ada.user, patient__family="Quinn")
    extra = SlotFactory(schedule=schedule, status="free", start=tomorrow, end=tomorrow + half_an_hour)
    block = SlotFactory(
        schedule=schedule,
        status="busy-unavailable",
        comment="Quinn",
        start=end + half_an_hour,
        end=end + 2 * half_an_hour,
    )
    only_here = ServiceFactory()
    ScheduleFactory(actor=schedule.actor, services=[only_here], site=site)
    entry = AppointmentFactory(patient=ada, service=only_here, status="waitlist", start=None)
    return {
        "only_here": only_here.fhir_id,
        "absence_id": AbsenceFactory(bookable=schedule.bookable, start=ten, end=end).pk,
        "kind_of_report": "visits",
        "note_id": StaffMessageFactory(created_by=UserFactory(), first=ten.date(), subject="Quinn").pk,
        "entry_id": entry.fhir_id,
        "appointment_id": visit.fhir_id,
        "held": held.fhir_id,
        "suggestion_id": held.fhir_id,
        "response_id": answers.fhir_id,
        "digest": questionnaires.hash_in_address(letter["hash"]),
        "questionnaire_id": form.fhir_id,
        "message_id": message.fhir_id,
        "feed_id": CalendarFeedFactory(patient=ada).pk,
        "client_id": LaunchFactory(user=ada.user, patient=ada).application.client_id,
        "work_kind": "failure",
        "row": failed.pk,
        "related_id": related.fhir_id,
        "patient_id": ada.fhir_id,
        "coverage_id": CoverageFactory(beneficiary=ada).fhir_id,
        "account_id": schedule.actor.user_id,
        "account_session": UserSession.objects.create(user=ada.user, ip="192.0.2.1", session_key="adas").pk,
        "side": "front",
        "change_id": 0,
        "pair_id": DuplicatePairFactory(first=ada, second=bo).pk,
        "other_id": bo.fhir_id,
        "patient_note": PatientNoteFactory(patient=ada, text="Quinn pays late").pk,
        "file_id": ImportFileFactory().pk,
        "service_id": checkup.fhir_id,
        "schedule_id": schedule.fhir_id,
        "start": f"{ten:%Y-%m-%dT%H:%M}",
        "practitioner_id": schedule.actor.fhir_id,
        "site_id": site.fhir_id,
        "slot_id": block.fhir_id,
        "recall_id": RecallFactory(appointment=visit, patient=ada).fhir_id,
        "referral_id": ReferralFactory(patient=ada, service=ServiceFactory(), referred_by=ada.user).fhir_id,
        "extra": extra.fhir_id,
        "who": "me",
        "number": 1,
        "token": links.manage_link(visit).split("/")[-2][:-1] + "_",
        "secret": "guessed",
        "name": "guessed",
    }


def anonymous(client, request):
    pass


def a_guest(client, request):
    """A guest who holds another time in this browser."""
    service = request.getfixturevalue("checkup")
    client.post(reverse("portal:hold", args=[service.fhir_id]), {"time": request.getfixturevalue("button_value")})


def bo(client, request):
    client.force_login(request.getfixturevalue("bo").user)


def a_former_carer(client, request):
    """A former carer of Ada."""
    user = UserFactory()
    RelatedPersonFactory(patient=request.getfixturevalue("ada"), user=user, active=False)
    RelatedPersonFactory(patient=request.getfixturevalue("ada"), user=user, deleted_at=timezone.now())
    client.force_login(user)


def another_practitioner(client, request):
    doctor = PractitionerFactory(user=UserFactory())
    ScheduleFactory(actor=doctor, services=[request.getfixturevalue("checkup")], site=LocationFactory())
    client.force_login(doctor.user)


def another_desk(client, request):
    site = LocationFactory()
    ScheduleFactory(services=[request.getfixturevalue("checkup")], site=site)
    client.force_login(UserFactory(desk_locations=[site]))


EVERYBODY = (anonymous, a_guest, bo, a_former_carer, another_practitioner, another_desk)


def is_refused(response):
    """True if the response is 404, 403, or a redirect to sign in or to give one's details."""
    if response.status_code == 302:
        return response.url.startswith((reverse("account_login"), reverse("portal:details")))
    return response.status_code in (403, 404, 405, 410)


def is_right(who, name, row, response, things):
    match row.whose:
        case "open":
            return response.status_code < 500
        case "own":
            return is_refused(response) if who in (anonymous, a_guest) else response.status_code < 500
        case "staff" | "staff's, with what any front desk mends":
            works_here = who in (another_practitioner, another_desk)
            return response.status_code < 500 if works_here else is_refused(response)
        case "secret" if name in ("manage-move", "manage-wait"):
            return response.url == reverse("portal:manage", args=[things["token"]])
        case "Ada's" if name == "presence":
            return response.status_code in (405, TAKEN_BACK)
    return is_refused(response)


COMPARED = (
    models.Appointment,
    models.AuditEvent,
    models.CalendarFeed,
    models.Communication,
    models.Coverage,
    models.DuplicatePair,
    models.Encounter,
    models.Erasure,
    models.FhirExport,
    models.HealthcareService,
    models.Launch,
    models.MessagePreferences,
    models.Patient,
    models.PatientNote,
    models.Payment,
    models.QuestionnaireResponse,
    models.RelatedPerson,
    models.Schedule,
    models.SchedulingParameters,
    models.ServiceRequest,
    models.Slot,
    models.StaffNotice,
    models.WaitlistCall,
    models.WorkItem,
)


def rows(ada):
    """Return all rows in full; of feeds only Ada's, since everybody may create their own."""
    feeds = models.CalendarFeed.objects.filter(patient=ada)
    kinds = [feeds if kind is models.CalendarFeed else kind.objects for kind in COMPARED]
    return [list(kind.order_by("pk").values()) for kind in kinds]


def requests(things):
    """Yield a GET of each address, and a POST with data that would change something."""
    for name, parameters in addresses():
        row = TABLE[name]
        address = reverse(f"portal:{name}", kwargs={each: things[row.names.get(each, each)] for each in parameters})
        if name in ("staff-new-visit", "staff-new-block", "staff-group"):
            address += f"?schedule={things['schedule_id']}&start={things['start']}"
        posted = {key: value.format(**things) if "_id}" in value else value for key, value in row.post.items()}
        yield name, row, address, None
        yield name, row, address, posted


def test_every_address_has_its_row():
    assert {name for name, _parameters in addresses()} == TABLE.keys()


@contextmanager
def noting_writes() -> Iterator[list[str]]:
    """Collect all queries that may change a row that is compared."""
    written: list[str] = []
    tables = [kind._meta.db_table for kind in COMPARED]

    def note(execute, sql, *arguments):
        sql = str(sql)
        if not sql.lstrip().upper().startswith("SELECT") and any(table in sql for table in tables):
            written.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        yield written


@pytest.mark.parametrize("who", EVERYBODY)
def test_other_callers_learn_and_change_nothing(client, request, clinic, ada, who):
    who(client, request)
    before, wrong = rows(ada), []
    for name, row, address, posted in requests(clinic):
        if row.whose in (DESK, WORKLIST) and who is another_desk:
            continue
        with noting_writes() as written:
            response = client.get(address) if posted is None else client.post(address, posted)
        request_line = f"{'GET' if posted is None else 'POST'} {name}"
        if not is_right(who, name, row, response, clinic):
            wrong.append(f"{request_line}: {response.status_code}")
        if b"Quinn" in response.getvalue():
            wrong.append(f"{request_line} names Ada")
        if written and rows(ada) != before:
            wrong.append(f"{request_line} changes something")
            before = rows(ada)
    assert wrong == []


def test_carers_see_the_patients_data_and_not_the_accounts(client, clinic, ada):
    carer = RelatedPersonFactory(patient=ada, user=UserFactory()).user
    client.force_login(carer)
    seen = {
        name: client.get(address).status_code
        for name, row, address, posted in requests(clinic)
        if row.whose == ADAS and posted is None
    }
    assert {seen[name] for name in ("visit", "ics", "answers", "answer-file", "confirm")} == {200}
    assert {seen[name] for name in ("family-change", "family-remove")} == {404}
    assert client.post(reverse("portal:feed-revoke", args=[clinic["feed_id"]])).status_code == 404


@pytest.mark.parametrize("who", [another_practitioner, another_desk])
def test_staff_look_at_no_calendar_but_theirs(client, request, clinic, who):
    who(client, request)
    named = clinic["schedule_id"]
    for name in ("day", "week", "month", "agenda"):
        assert client.get(reverse(f"portal:{name}"), {"schedule": named}).status_code == 404
    query = {"calendars": named, "start": "2026-11-24", "end": "2026-11-25", "since": "2026-11-24T09:00:00Z"}
    for name in ("calendar-events", "calendar-changes"):
        assert client.get(reverse(f"portal:{name}"), query).status_code == 404
    assert client.get(reverse("portal:board"), {"site": clinic["site_id"]}).status_code in (200, 404)


def test_a_practitioner_finds_only_patients_of_their_calendar(client, request, clinic):
    another_practitioner(client, request)
    assert b"Quinn" not in client.post(reverse("portal:staff-find-patients"), {"search": "Quinn"}).content


def test_nothing_is_posted_from_another_site(clinic, ada):
    """A POST without a CSRF token is refused, except where a secret or a signature proves it."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada.user)
    before = rows(ada)
    answers = {
        name: client.post(address, posted)
        for name, _row, address, posted in requests(clinic)
        if posted is not None and name not in PROVEN_BY_TOKEN
    }
    assert {name for name, answer in answers.items() if answer.status_code != 403} == set()
    assert rows(ada) == before


def test_no_page_of_hers_stays_in_a_cache(client, clinic, ada):
    client.force_login(ada.user)
    kept = [
        name
        for name, row, address, posted in requests(clinic)
        if posted is None
        and row.whose in (OWN, ADAS)
        and "no-store" not in client.get(address).headers.get("Cache-Control", "")
    ]
    assert kept == []
