"""One email and one text for several visits of a day, right when one of them changes in between."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from icalendar import Calendar

from clinic.models import Appointment, Communication
from scheduling import notifications
from scheduling.notifications import links, sms
from scheduling.notifications.errors import NotNow
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    MessageTemplateFactory,
    PatientFactory,
    ServiceFactory,
)
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)  # 9:20 AM in New York
LEAD = timedelta(days=2)
DUE = START - LEAD
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _texts(settings):
    settings.SMS_ENABLED, settings.SMS_URL, settings.QUIET_HOURS, settings.SMS_REPLIES = True, "", None, False
    settings.CLINIC_NAME = "Riverside Clinic"


@pytest.fixture
def ada(db):
    return PatientFactory(given="Ada", phone="+12125550123", email="ada@example.com")


@pytest.fixture
def site(db):
    return LocationFactory(name="Main Street", timezone="America/New_York")


@pytest.fixture
def book(ada, site):
    def booked(after=timedelta(0), *, patient=ada, name="Check-up", lead=LEAD, event="reminder", **fields):
        """Return a booked visit with its reminders by email and text."""
        visit = AppointmentFactory(
            patient=patient, site=site, start=START + after, service=ServiceFactory(name=name), **fields
        )
        for medium, address in (("email", patient.email), ("sms", patient.phone)):
            CommunicationFactory(
                appointment=visit,
                event=event,
                medium=medium,
                occasion=f"0-{int(lead.total_seconds())}" if event == "reminder" else "0",
                address=address,
                due=visit.start - lead if event == "reminder" else DUE,
            )
        return visit

    return booked


def sent(medium="sms"):
    return list(Communication.objects.filter(medium=medium, status="completed", part_of=None).order_by("pk"))


def test_reminders_of_one_day_are_one_text_and_one_email(book):
    early, late = book(), book(2 * HOUR, name="Ultrasound")
    deliver(DUE)

    [text] = sent()
    assert text.body.splitlines() == [
        "Riverside Clinic: the visits for Ada are on Tue, Nov 24, 9:20 AM and 11:20 AM (New York time)."
        " Please tell us whether you will come:",
        f"9:20 AM: {links.manage_link(early)}",
        f"11:20 AM: {links.manage_link(late)}",
    ]
    [email] = mail.outbox
    assert email.subject == "Your visits on Tue, Nov 24, 9:20 AM and 11:20 AM (New York time)"
    for fact in ("Check-up", "Ultrasound", links.manage_link(early), links.manage_link(late), "11:20 AM: I will come"):
        assert fact in email.body, fact
    assert Communication.objects.filter(status="preparation").count() == 0
    for medium in ("email", "sms"):
        first, second = Communication.objects.filter(medium=medium).order_by("appointment__start")
        assert (second.part_of, second.sent, second.body) == (first, first.sent, first.body)
    deliver(DUE + 2 * HOUR)
    assert len(mail.outbox) == 1


def test_the_calendar_file_has_all_of_them(book):
    book(), book(2 * HOUR)
    deliver(DUE)
    [email] = mail.outbox
    content = next(part for part in email.message().walk() if part.get_content_type() == "text/calendar")
    assert len(Calendar.from_ical(content.get_payload(decode=True)).walk("VEVENT")) == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": "cancelled"}, "not-done"),
        ({"deleted_at": DUE}, "not-done"),
        ({"sequence": 1}, "not-done"),
        ({"start": START + timedelta(days=1), "end": START + timedelta(days=1, hours=1)}, "preparation"),
    ],
    ids=["cancelled", "deleted", "moved", "on another day"],
)
def test_a_visit_that_has_changed_in_between_is_not_named(book, change, expected):
    book()
    late = book(2 * HOUR)
    Appointment.objects.filter(pk=late.pk).update(**change)
    deliver(DUE)
    [text] = sent()
    assert "9:20 AM (New York time)" in text.body
    assert "11:20" not in text.body
    assert Communication.objects.get(appointment=late, medium="sms").status == expected


def test_if_the_first_has_changed_the_other_is_told_by_itself(book):
    early, late = book(), book(2 * HOUR)
    Appointment.objects.filter(pk=early.pk).update(status="cancelled")
    deliver(DUE)
    assert not sent()
    deliver(DUE + 2 * HOUR)
    [text] = sent()
    assert text.appointment == late
    assert "visit for Ada is on Tue, Nov 24, 11:20 AM" in text.body


@pytest.mark.parametrize(
    ("lead", "after", "count"),
    [
        (timedelta(days=2), 8 * HOUR, 1),
        (2 * HOUR, timedelta(minutes=40), 1),
        (2 * HOUR, 3 * HOUR, 2),
        (timedelta(days=2), timedelta(days=1), 2),
    ],
    ids=["the same day", "soon after the other", "hours after the other", "the day after"],
)
def test_those_that_are_due_much_later_go_by_themselves(book, lead, after, count):
    book(lead=lead), book(after, lead=lead)
    deliver(START - lead)
    deliver(START + after - lead)
    assert len(sent()) == count


def test_other_patients_and_other_lead_times_go_by_themselves(book):
    book()
    book(HOUR, patient=PatientFactory(phone="+12125550123", email="ada@example.com"))
    book(2 * HOUR, lead=timedelta(days=2, hours=2))
    deliver(DUE + HOUR)
    assert len(sent()) == 3


def test_confirmations_that_are_due_together_are_one(book):
    book(event="confirmation"), book(HOUR, event="confirmation", name="Ultrasound")
    deliver(DUE)
    assert [email.subject for email in mail.outbox] == [
        "Your visits on Tue, Nov 24, 9:20 AM and 10:20 AM (New York time) are booked"
    ]
    assert len(sent()) == 1


def test_what_fails_is_tried_again_together(book, monkeypatch):
    def refuse(message, text):
        raise NotNow("The text service answers 500.")

    book(), book(2 * HOUR)
    monkeypatch.setattr(sms, "send", refuse)
    deliver(DUE)
    waiting = Communication.objects.filter(medium="sms")
    assert {(row.status, row.attempts) for row in waiting} == {("preparation", 1)}
    monkeypatch.undo()
    deliver(DUE + timedelta(minutes=1))
    assert len(sent()) == 1


def test_a_report_of_delivery_is_about_all_of_them(book):
    book(), book(2 * HOUR)
    deliver(DUE)
    assert notifications.arrived(message=sent()[0].fhir_id, now=DUE)
    assert set(Communication.objects.filter(medium="sms").values_list("received", flat=True)) == {DUE}


def test_words_of_a_service_are_used_if_all_visits_have_it(book):
    first = book()
    MessageTemplateFactory(event="reminder", subject="Ours for {{ service }}", body="{{ when }}", service=first.service)
    second = book(HOUR, name="Ultrasound")
    Appointment.objects.filter(pk=second.pk).update(service=first.service)
    deliver(DUE)
    assert [email.subject for email in mail.outbox] == ["Ours for Check-up"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "Ihre Termine am Di., 24. Nov., 9:20 AM und 11:20 AM (Ortszeit New York)"),
        ("es", "Sus citas del mar, 24 de nov, 9:20 a.m. y 11:20 a.m. (hora de Nueva York)"),
    ],
)
def test_in_other_languages(book, language, words):
    book(), book(2 * HOUR)
    Communication.objects.update(language=language)
    deliver(DUE)
    assert mail.outbox[0].subject == words


def test_a_discreet_visit_is_not_named_beside_another(book):
    book()
    secret = book(2 * HOUR, name="Colonoscopy")
    secret.service.named_in_email = False
    secret.service.save()
    deliver(DUE)
    assert "Colonoscopy" not in mail.outbox[0].body
    assert "Check-up" in mail.outbox[0].body
