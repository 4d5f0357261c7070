"""Rows of every kind that a page can show, and the checks of pages."""

from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page

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
from scheduling import reports, staff_accounts
from scheduling.access import Caller, HeldRole, Role
from scheduling.notifications import links
from scheduling.staff_accounts import NewPerson
from tests.browser.every_page.looker import Looker
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
        "deposit": visit(18 * day, service=scan),
        "returned": visit(19 * day, service=scan),
    }
    Erasure.objects.create(patient=leo.patient, created=now)
    report = {"deleted": {"records": 1, "notes": 2}, "kept": {"visits": 3}}
    Erasure.objects.create(patient=PatientFactory(deleted_at=now), status="done", created=now, decided=now, **report)
    monkeypatch.setattr(settings, "PAYMENT_PROVIDER", "local")
    pay(things["paying"], status="paying", session="cs_1", expires_at=now + hour)
    pay(things["lost"], status="released")
    pay(things["paid"])
    pay(things["deposit"], purpose="deposit", amount=1000)
    pay(things["returned"], purpose="balance", status="paying", session="cs_2", expires_at=now + hour)
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
        "reference": uuid4(),
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


@pytest.fixture
def looker(page: Page, violations) -> Iterator[Looker]:
    page.emulate_media(reduced_motion="reduce")
    looker = Looker(page)
    yield looker
    assert not looker.problems, "\n".join(looker.problems)
    assert not violations
