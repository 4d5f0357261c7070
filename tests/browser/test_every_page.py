"""Accessibility of every page for each of its readers: on a phone, on a desk, and in the dark theme.

A page that is added to the portal needs a row here.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.conf import settings
from django.urls import URLResolver, reverse
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page, expect

from clinic.models import (
    Appointment,
    CardPhoto,
    DetailsChange,
    Erasure,
    HealthcareService,
    RefusedLine,
    Schedule,
    ServiceType,
)
from demo.seed.questionnaire import TRAVEL_HEALTH
from portal import urls
from scheduling import reports, staff_accounts
from scheduling.access import Caller, HeldRole, Role
from scheduling.notifications import links
from scheduling.staff_accounts import NewPerson
from tests.browser.accessibility import LOOKS, WCAG, serious, too_wide
from tests.browser.conftest import DESK, PHONE
from tests.browser.guests import say_who
from tests.factories import (
    AbsenceFactory,
    AppointmentFactory,
    CalendarFeedFactory,
    CommunicationFactory,
    CoverageFactory,
    DeviceFactory,
    DuplicatePairFactory,
    EncounterFactory,
    ImportFileFactory,
    LaunchFactory,
    PatientFactory,
    PatientNoteFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RebookingFactory,
    RecallFactory,
    ReferralFactory,
    RelatedPersonFactory,
    RoomFactory,
    ServiceFactory,
    SlotFactory,
    StaffMessageFactory,
    UserFactory,
    WaitlistOfferFactory,
)
from tests.payments import pay

# Name of a page, rows in its address (keys of `world`), query; "= 403" where it is refused.
GUEST = """
services
services ?q=teeth
services ?service=gone
choose-time checkup
choose-time advice ?zone=Europe/Berlin
choose-time checkup ?practitioner=nobody
choose-time checkup ?visits=3&every=2
choose-time checkup ?month=2027-01
choose-time nothing = 404
together
together ?service={checkup}&service={checkup}
together ?service={checkup}&service={advice}&any_order=on
deep-link checkup ?time=2026-01-01T10:00:00Z~gone = 409
manage link
manage late_link
manage moving_link
manage suggested_link
manage past_link
manage nothing = 410
carer-invitation invitation
carer-invitation nothing = 410
staff-invitation nothing = 410
staff-invitation staff_invitation
manage-move link
manage-cancel link
manage-wait link
wait checkup
wait nothing = 404
waiting wait_link
waiting offer_link
waiting nothing = 410
waiting-change wait_link
manage-cancel late_link
manage-check-in late_link
find-visit site
find-visit nothing = 404
ticket ticket
ticket used_ticket
ticket nothing = 404
recall recall
recall ended_recall
recall nothing = 404
unsubscribe unsubscribe
practitioner chen
practitioner nobody = 404
site site
site nobody = 404
authorize ?client_id=nobody = 400
"""
PATIENT = """
services
choose-time checkup
visits
visit booked
visit video
visit open
visit late
visit requested
visit fulfilled
visit cancelled
visit nothing = 404
cancel booked
cancel late
wait checkup
wait-visit booked
waiting offer_link
waiting left_link
visit first
cancel first ?which=all
move first ?which=all
move booked
booked booked
join video
join over
check-in booked
check-in near
check-in here
answers booked
about held
about-details held someone
also held ?for={leo_patient}
questions-part held 1
coverage held
new-coverage held
details-check asked
needs ready
confirm ready
confirm gone = 409
pay unpaid
pay unpaid ?cancelled
payment paying
payment lost = 409
visit paid
my-details
details-of leo_patient
details-name own
details-address own
details-needs own
details-coverage-new own
details-coverage own insurance
details-coverage-end own insurance
details-data own
details-data leo_patient
details-erase own
details-card own insurance
feeds
apps
app-stop app
family
family-add
family-change leo
family-remove leo
carer-invite
carer-end invited
messages
preferences
preferences-of leo_patient
board = 403
"""
PRACTITIONER = """
day
week
month
agenda
board
worklist
worklist ?who=later
staff-notices
staff-notices-settings
worklist-item unconfirmed late_key
waiting-list
staff-visit arrived
staff-visit booked
staff-visit nothing = 404
staff-cancel booked
staff-cancel-several first
staff-move-several first
staff-move-several first ?which=all&date=2027-06-01&time=10:00
staff-visit requested
staff-move booked
staff-suggest requested
staff-peek booked
staff-peek requested
staff-new-visit
staff-walk-in
staff-new-block
staff-block block
staff-group class ?schedule={schedule}&start={class_start}
sheets
staff-why
feeds
hours
hours-edit schedule checkup
hours-settings schedule checkup
questionnaire-preview questionnaire
"""
FRONT_DESK = """
staff-patients
staff-patient own
staff-patient own ?past=2&audit=2
staff-patient leo_patient
staff-patient nothing = 404
staff-patient-edit own
labels
patient-labels own
coming-visits own
coming-visits nothing = 404
staff-duplicates
staff-compare own leo_patient
staff-note patient_note
staff-visit paid
staff-payment paid
staff-payment missed
staff-cancel paid
day
board
staff-check-in site
staff-embed
staff-messages
staff-new-message
staff-message note
staff-message sent_note
staff-message-change note
staff-absences
staff-new-absence
staff-absence absence
staff-absence-change absence
staff-payments
staff-late
staff-late ?person={schedule}&minutes=20
staff-referrals
staff-referrals ?state=no-show
staff-referral referral
staff-visit in_room
staff-room in_room
staff-room cancelled
staff-visit cancelled
staff-new-visit
waiting-list
waiting-list-offers
waiting-list-gaps
waiting-list-gaps ?view=week
waiting-list-find
waiting-list-join checkup leo_patient
report visits
report time ?first=2026-01-01&last=2026-01-31&by=person
report visits ?first=2026-01-31&last=2026-01-01&by=week
report-free-times
hours
feeds = 403
"""
REFERRER = """
referrals
referral-new
referral referral
referral used_referral
referral-book referral
referral-withdraw referral
referral nothing = 404
services
"""
ADMINISTRATOR = """
day
setup
setup-clinic
setup-sites
setup-site site
setup-people
setup-person chen
setup-rooms
setup-room room
setup-device device
setup-services
setup-services ?kind=dentist
setup-service-new
setup-service checkup
setup-questionnaires
setup-questionnaire questionnaire
setup-question-new questionnaire
setup-question questionnaire allergies
setup-types
setup-type service_type
setup-hours
setup-week schedule
setup-calendar schedule
setup-messages
setup-preview
closures
closures-holidays
closures-holidays ?country=DE&region=BY
people
people-invite
people-second-step
people-person chen_account
exports
imports
import sent_file
import checked_file
import file_in_work
import done_file
import 0 = 404
board
worklist
staff-patient-data own
staff-patient-data leo_patient
staff-erasure-decline leo_patient
staff-erasures
checklist
sheets
staff-why
hours
hours-edit checkup
hours-settings checkup
"""
# Pages that need steps before them: below.
BY_DOING = {
    "course", "found-visit", "found-visits", "wait-about", "wait-proof", "proof", "questions", "questions-stop",
    "details", "start", "hold",
}  # fmt: skip
# Responses to forms and scripts, and files.
NO_PAGES = {
    "export-file",
    "people-invite-again",
    "people-withdraw",
    "people-active",
    "people-end-sessions",
    "people-end-session",
    "people-reset-second-step",
    "sessions-end",
    "session-end",
    "near", "let-go", "keep", "presence", "ics", "manage-attend", "feed", "feed-revoke", "messages-read", "sms-status",
    "send-again", "questions-save", "answer-file", "set-language", "theme", "photo", "text-read", "text-reply",
    "calendar-choose", "calendar-events", "calendar-changes", "staff-find-patients", "staff-step", "staff-answer",
    "authorize-decide", "closures-remove", "closures-restore", "hours-remove",
    "setup-type-remove", "setup-questions-arrange",
    "hours-closures", "hours-closures-remove", "hours-kept", "hours-kept-remove", "hours-undo", "hours-extra",
    "referral-document", "staff-referral-document", "staff-referral-withdraw", "recall-decline", "recall-end",
    "staff-recall",
    "waiting-answer", "waiting-leave", "waiting-list-give", "waiting-list-priority",
    "waiting-list-remove",
    "hours-extra-remove", "payment-webhook", "staff-restore", "staff-attendance", "answer-suggestion",
    "manage-suggestion", "answer-times", "manage-times", "staff-absence-step", "staff-absence-book",
    "staff-absence-called", "staff-message-step", "embed-script", "staff-kiosk", "staff-late-undo", "details-right",
    "staff-undo-walk-in", "label-styles",
    "card-photo",
    "staff-coverage", "staff-identity", "staff-details", "report-file", "report-free-times-file",
    "staff-patient-coverage", "staff-notes", "staff-note-remove",
    "staff-duplicate-reject", "staff-unmerge", "worklist-own", "waiting-list-call", "waiting-list-call-remove",
    "staff-notices-latest", "staff-notices-seen",
    "import-refused",
    "details-export", "details-erase-withdraw", "staff-patient-export",
}  # fmt: skip


@pytest.fixture
def referrer(db):
    return UserFactory(first_name="Noor", last_name="Grey", refers_for="Harbour Practice")


@pytest.fixture
def world(clinic, ada, chen, rana, site, referrer, monkeypatch):
    """Rows of every kind, by the names that the tables of pages use."""
    schedule = Schedule.objects.get()
    schedule.meeting_url = "https://video.example/room"
    schedule.save()
    clinic.requires_coverage = True
    clinic.course_limit = 8
    clinic.save()
    video = HealthcareService.objects.get(telehealth=True)
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    insurance = CoverageFactory(beneficiary=ada, verification="rejected", verification_reason="It has expired.")
    CoverageFactory(beneficiary=ada)
    leo = RelatedPersonFactory(patient=PatientFactory(given="Leo"), user=ada.user)
    now = timezone.now().replace(second=0, microsecond=0)
    invited = RelatedPersonFactory(patient=ada, active=False, invited=now, email="noel@example.com", access="visits")

    def visit(ahead: timedelta, status: str = "booked", **more: Any):
        fields = {"patient": ada, "service": clinic, "site": site, "schedules": [schedule], **more}
        start = now + ahead
        return AppointmentFactory(status=status, start=start, end=start + timedelta(minutes=20), **fields)

    def held(ahead: timedelta, ends: timedelta, **more: Any):
        return visit(ahead, "pending", hold_expires_at=now + ends, **more)

    day, hour = timedelta(days=1), timedelta(hours=1)
    things = {
        "booked": visit(3 * day),
        "video": visit(4 * day, service=video),
        "open": visit(hour / 12, service=video),
        "over": visit(-3 * hour, service=video),
        "late": visit(2 * hour),
        "near": visit(hour / 6, schedules=[]),
        "here": visit(hour / 4, "arrived", schedules=[]),
        "site": site,
        "fulfilled": visit(-9 * day, "fulfilled"),
        "missed": visit(-20 * day, "noshow"),
        "cancelled": visit(5 * day, "cancelled", schedules=[]),
        "requested": visit(10 * day, "pending"),
        "leos": visit(6 * day, patient=leo.patient),
        "held": held(7 * day, hour),
        "ready": held(8 * day, hour, service=video),
        "gone": held(9 * day, -hour),
        "asked": held(16 * day, hour, patient=leo.patient),
        "own": ada,
        "insurance": insurance,
        "arrived": visit(-hour, "arrived", patient=PatientFactory()),
        "in_room": visit(-2 * hour, "checked-in", patient=PatientFactory()),
        "block": SlotFactory(schedule=schedule, status="busy-unavailable", start=now + 4 * hour, comment="Lunch"),
        "leo": leo,
        "chen": chen,
        "invited": invited,
        "leo_patient": leo.patient,
        "checkup": clinic,
        "advice": video,
        "schedule": schedule,
        "room": RoomFactory(part_of=site),
        "device": DeviceFactory(location=site),
        "questionnaire": QuestionnaireFactory(item=TRAVEL_HEALTH),
    }
    scan = ServiceFactory(name="Scan", pricing="fixed", price=4000, prepayment="whole", late_refund=50)
    things |= {
        "unpaid": held(12 * day, hour, service=scan),
        "paying": held(13 * day, hour, service=scan),
        "lost": visit(14 * day, "cancelled", service=scan, schedules=[]),
        "paid": visit(15 * day, service=scan),
    }
    Erasure.objects.create(patient=leo.patient, created=now)
    report = {"deleted": {"records": 1, "notes": 2}, "kept": {"visits": 3}}
    Erasure.objects.create(patient=PatientFactory(deleted_at=now), status="done", created=now, decided=now, **report)
    monkeypatch.setattr(settings, "PAYMENT_PROVIDER", "local")
    pay(things["paying"], status="paying", session="cs_1", expires_at=now + hour)
    pay(things["lost"], status="released")
    pay(things["paid"])
    pay(things["missed"], status="kept", purpose="card", amount=0, fee=2500)
    visit(-500 * day, "fulfilled", patient=leo.patient, schedules=[])
    series = {"series": uuid4(), "occurrences": 2}
    things["first"] = visit(17 * day, occurrence=1, **series)
    things["second"] = visit(24 * day, occurrence=2, **series)
    held(11 * day, 40 * hour, suggested_for=things["requested"])
    moving = visit(26 * day, to_rebook=True)
    held(27 * day, 40 * hour, suggested_for=moving)
    absence = AbsenceFactory(
        bookable=schedule.bookable, start=moving.start, end=moving.end, offered=now - day, send_from=now - day
    )
    note, sent_note = (
        StaffMessageFactory(created_by=rana, first=now.date(), last=now.date() + 9 * day, sent=sent)
        for sent in (None, now)
    )
    CommunicationFactory(event="note", patient=ada, staff_message=sent_note, status="completed", sent=now)
    RebookingFactory(absence=absence, appointment=moving, state="call", why="asked", expires=now + 40 * hour)
    waits, offered, left = (
        AppointmentFactory(status=status, start=None, service=clinic, patient=patient, created=now - 9 * day)
        for status, patient in (("waitlist", leo.patient), ("waitlist", ada), ("cancelled", ada))
    )
    kept = held(20 * day, hour, suggested_for=offered)
    WaitlistOfferFactory(entry=offered, hold=kept, passed=[[waits.fhir_id, "weekday"]])
    group = ServiceFactory(name="Back class", capacity=8)
    schedule.services.add(group)
    start = now + 6 * hour
    for seat in range(2):
        one = visit(6 * hour, service=group, patient=PatientFactory(), schedules=[])
        SlotFactory(schedule=schedule, appointment=one, start=one.start, end=one.end, seat=seat)
    EncounterFactory(appointment=things["arrived"], status="arrived", start=now - hour)
    QuestionnaireResponseFactory(appointment=things["booked"])
    image = BytesIO()
    Image.new("RGB", (60, 40)).save(image, "JPEG")
    CardPhoto.objects.create(coverage=insurance, side="front", image=image.getvalue(), taken=now)
    changes = {"given": "Ada", "family": "King", "born": "1990-07-04"}
    DetailsChange.objects.create(patient=ada, changes=changes, created=now)
    CommunicationFactory(appointment=things["booked"], status="not-done", attempts=5, status_reason="No such number")
    CommunicationFactory(appointment=things["booked"], medium="in-app", status="completed", sent=now, body="Booked.")
    CalendarFeedFactory(patient=ada)
    app = LaunchFactory(user=ada.user, patient=ada, scope="patient/Appointment.cruds offline_access").application

    caller = Caller(user=UserFactory(is_superuser=True))
    _user, staff_invitation = staff_accounts.invite(
        NewPerson("kim@example.com", roles=frozenset({HeldRole(Role.READER)})), caller=caller, now=now
    )

    def path(link: str) -> str:
        return link.removeprefix(settings.SITE_URL).split("/")[2]

    referral = ReferralFactory(patient=ada, service=clinic, referred_by=referrer)
    used = ReferralFactory(patient=ada, service=clinic, referred_by=referrer)
    Appointment.objects.filter(pk=things["booked"].pk).update(referral=used)
    things |= {"referral": referral, "used_referral": used}
    DuplicatePairFactory(
        first=min(ada, leo.patient, key=lambda each: each.pk), second=max(ada, leo.patient, key=lambda each: each.pk)
    )
    patient_note = PatientNoteFactory(patient=ada, text="Prefers the morning.")
    reports.count_days(now=now)
    files = {
        "sent_file": ImportFileFactory(),
        "checked_file": ImportFileFactory(status="checked", new=1),
        "file_in_work": ImportFileFactory(status="writing", only_good=True),
        "done_file": ImportFileFactory(status="done", new=1, only_good=True),
    }
    RefusedLine.objects.create(file=files["checked_file"], line=1, reason="It has no “Family name”.")
    return {name: thing.fhir_id for name, thing in things.items()} | {
        "absence": absence.pk,
        "service_type": ServiceType.objects.create(code="home-visit", name="Home visit").pk,
        "late_key": things["late"].pk,
        "note": note.pk,
        "sent_note": sent_note.pk,
        "moving_link": path(links.manage_link(moving)),
        "patient_note": str(patient_note.pk),
        **{name: file.pk for name, file in files.items()},
        "ticket": path(links.ticket_link(referral)),
        "used_ticket": path(links.ticket_link(used)),
        "link": path(links.manage_link(things["booked"])),
        "late_link": path(links.manage_link(things["late"])),
        "suggested_link": path(links.manage_link(things["requested"])),
        "past_link": path(links.manage_link(things["over"])),
        "wait_link": path(links.waitlist_link(waits)),
        "offer_link": path(links.waitlist_link(offered)),
        "left_link": path(links.waitlist_link(left)),
        "recall": path(links.recall_link(RecallFactory(appointment=things["over"], patient=ada))),
        "ended_recall": path(
            links.recall_link(RecallFactory(appointment=things["over"], patient=ada, status="completed"))
        ),
        "unsubscribe": path(links.unsubscribe_link(ada)),
        "invitation": path(links.invitation_link(invited)),
        "staff_invitation": staff_invitation,
        "chen_account": chen.user_id,
        "someone": "someone",
        "visits": "visits",
        "time": "time",
        "app": app.client_id,
        "class": group.fhir_id,
        "class_start": quote(start.isoformat()),
    }


class Looker:
    """Checks pages and collects their findings. Animations are off meanwhile."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))

    def open(self, address: str, status: int = 200) -> None:
        """Check the page on a phone, and on a desk in the dark theme by the rules that can differ there."""
        self.page.set_viewport_size(PHONE)
        answer = self.page.goto(address)
        if answer is None or answer.status != status:
            self.problems.append(f"{address}: {answer and answer.status} {self.page.url}")
        self.look()
        self.page.set_viewport_size(DESK)
        self.page.emulate_media(color_scheme="dark")
        self.look(LOOKS)
        self.page.emulate_media(color_scheme="light")

    def look(self, rules: dict[str, Any] = WCAG) -> None:
        """Check the page as it is now."""
        self.page.wait_for_load_state()
        where = f"{self.page.url} ({self.page.viewport_size})"
        self.problems += [f"{where}: {each}" for each in (*self._frame(), *serious(self.page, rules))]

    def _frame(self) -> Iterator[str]:
        if self.page.locator("h1").count() != 1:
            yield "not one h1"
        if not self.page.title().removesuffix("Riverside Clinic").strip(" \N{EN DASH}"):
            yield "no title"
        for landmark in ("banner", "main", "contentinfo"):
            if self.page.get_by_role(landmark).count() != 1:
                yield f"not one {landmark}"
        yield from too_wide(self.page)


def rows(table: str, world: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Return the addresses of a table, and the expected status of each."""
    for line in filter(None, table.splitlines()):
        words, _equals, status = line.partition(" = ")
        name, *named = words.split()
        query = named.pop() if named and named[-1].startswith("?") else ""
        address = reverse(f"portal:{name}", args=[world.get(each, each) for each in named])
        yield address + query.format_map(world), int(status or 200)


@pytest.fixture
def looker(page: Page, violations) -> Iterator[Looker]:
    page.emulate_media(reduced_motion="reduce")
    looker = Looker(page)
    yield looker
    assert not looker.problems, "\n".join(looker.problems)
    assert not violations


def names(patterns=urls.urlpatterns) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from names(each.url_patterns)
        else:
            yield each.name


@pytest.mark.django_db(transaction=False)
def test_every_address_is_looked_at_here():
    tables = (GUEST, PATIENT, PRACTITIONER, FRONT_DESK, REFERRER, ADMINISTRATOR)
    looked_at = {line.split()[0] for table in tables for line in filter(None, table.splitlines())}
    assert looked_at | BY_DOING | NO_PAGES == set(names())
    assert not looked_at & NO_PAGES


def test_as_a_guest(looker: Looker, world):
    for address, status in rows(GUEST, world):
        looker.open(address, status)
    page = looker.page
    times = reverse("portal:choose-time", args=[world["checkup"]])
    page.goto(times)
    time = page.locator(".first__time").first.get_attribute("value")
    page.route("**/hold-at-once.js", lambda route: route.fulfill(body=""))  # it goes on before anybody could look
    looker.open(f"{reverse('portal:deep-link', args=[world['checkup']])}?time={time}")
    looker.open(f"{reverse('portal:course', args=[world['checkup']])}?time={time}&visits=8&every=1")
    page.goto(times)
    page.locator(".first__time").first.click()
    expect(page.get_by_role("heading", name="About you")).to_be_visible()
    looker.look()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_focused()
    looker.look()
    say_who(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    looker.look()
    page.goto(reverse("portal:wait", args=[world["checkup"]]))
    page.get_by_role("button", name="Join the waiting list").click()
    expect(page.get_by_role("heading", name="About you")).to_be_visible()
    looker.look()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    looker.look()
    page.goto(f"/v/{world['link']}/")
    for label, number in (("Day", "4"), ("Month", "7"), ("Year", "1990")):
        page.get_by_label(label).fill(number)
    page.get_by_role("button", name="Show the details").click()
    expect(page.get_by_role("heading", name="See the details")).to_have_count(0)
    looker.look()


def test_as_one_who_comes_to_the_front_desk(looker: Looker, world, ada, site):
    ada.email = "ada@example.com"
    ada.save()
    page, desk = looker.page, f"/here/{site.fhir_id}/"
    page.goto(desk)
    page.get_by_role("button", name="Find my visit").click()
    expect(page.get_by_role("alert")).to_be_focused()
    looker.look()
    for label, text in (("Day", "4"), ("Month", "7"), ("Year", "1990"), ("Phone number, email", "ada@example.com")):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Find my visit").click()
    expect(page.get_by_role("heading", name="Which visit?")).to_be_visible()
    looker.look()
    looker.open(f"{desk}1/")


def test_as_a_patient(looker: Looker, world, ada, sign_in):
    sign_in(ada.user)
    for address, status in rows(PATIENT, world):
        looker.open(address, status)
    looker.page.goto("/calendars/")
    looker.page.get_by_role("button", name="Create another address").click()
    expect(looker.page.get_by_label("Your new address")).to_be_visible()
    looker.look()
    looker.page.goto(f"/appointments/{world['booked']}/move/")
    looker.page.locator(".first__time").first.click()
    expect(looker.page.get_by_role("heading", name="Move your visit?")).to_be_visible()
    looker.look()
    looker.page.goto(f"/my-details/{ada.fhir_id}/data/")
    looker.page.get_by_label("Password", exact=True).fill("secret-password")
    looker.page.get_by_role("button", name="Continue").click()
    expect(looker.page.get_by_role("heading", name="Your data")).to_be_visible()
    looker.look()
    looker.open(f"/my-details/{world['leo_patient']}/data/")
    looker.open(f"/my-details/{ada.fhir_id}/data/delete/")


def test_as_one_who_lets_an_app_in(looker: Looker, world, ada, sign_in, live_server):
    query = {
        "response_type": "code",
        "client_id": world["app"],
        "redirect_uri": "https://app.example.org/back",
        "scope": "launch/patient openid fhirUser patient/*.rs patient/Appointment.cruds offline_access",
        "aud": f"{live_server.url}/fhir/R4",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
    sign_in(ada.user)
    looker.open(f"{reverse('portal:authorize')}?{urlencode(query)}")
    looker.page.get_by_label("Leo").check()
    looker.page.get_by_role("button", name="Continue").click()
    expect(looker.page.get_by_role("heading", name="Give Visit Buddy access?")).to_be_visible()
    looker.look()
    looker.open(looker.page.url)


def test_as_one_who_answers_an_alarm(looker: Looker, world, clinic, ada, sign_in):
    clinic.questionnaires.set([QuestionnaireFactory(item=TRAVEL_HEALTH)])
    sign_in(ada.user)
    looker.page.goto(f"/appointments/{world['held']}/questions/")
    looker.page.get_by_label("Yes, and I have it now").check()
    looker.page.get_by_role("button", name="Continue").click()
    expect(looker.page.get_by_role("heading", name="Please stop and read this")).to_be_visible()
    looker.look()


def test_as_one_whose_account_is_new(looker: Looker, sign_in):
    sign_in(UserFactory())
    looker.open("/details/")
    looker.open("/appointments/")
    looker.open("/family/")


@pytest.mark.parametrize(
    ("table", "who"),
    [
        pytest.param(PRACTITIONER, lambda it: it("chen").user, id="practitioner"),
        pytest.param(FRONT_DESK, lambda it: it("rana"), id="front desk"),
        pytest.param(REFERRER, lambda it: it("referrer"), id="referrer"),
        pytest.param(ADMINISTRATOR, lambda it: UserFactory(is_superuser=True), id="administrator"),
    ],
)
def test_as_staff(looker: Looker, world, request, sign_in, table: str, who: Callable):
    sign_in(who(request.getfixturevalue))
    for address, status in rows(table, world):
        looker.open(address, status)
