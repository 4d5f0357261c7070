"""Messages in the words of staff: whom they reach, the preview, sending once, the undo, and the log."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import AuditEvent, Communication, StaffMessage
from scheduling.notifications import Batch
from tests.factories import (
    AbsenceFactory,
    AppointmentFactory,
    MessagePreferencesFactory,
    PatientFactory,
    RelatedPersonFactory,
    ServiceFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGES = "/staff/messages/"


@pytest.fixture(autouse=True)
def by_day(settings):
    settings.QUIET_HOURS = None


@pytest.fixture
def words(ten):
    return {
        "whom": "visits",
        "first": f"{ten:%Y-%m-%d}",
        "subject": "The lift is broken",
        "body": "Dear {{ name }}, please use the stairs on {{ time }}.",
    }


@pytest.fixture
def book(checkup, schedule, site, ten):
    """A function that books a visit on the day, so many hours after ten, for a patient."""

    def act(patient, hours=1, **more):
        start = ten + timedelta(hours=hours)
        fields = {"service": checkup, "schedules": [schedule], "site": site, **more}
        return AppointmentFactory(patient=patient, start=start, end=start + timedelta(minutes=30), **fields)

    return act


def write(client, words):
    return client.post(f"{MESSAGES}new/", words, follow=True)


def press(client, step):
    message = StaffMessage.objects.latest("pk")
    data = {"step": step, "version": message.version}
    return client.post(f"{MESSAGES}{message.pk}/step/", data, follow=True)


def notes():
    return Communication.objects.filter(event="note").order_by("pk")


def deliver():
    now = timezone.now() + timedelta(minutes=2)
    batch = Batch(now=now)
    while batch.deliver_next(now=now):
        pass


def test_the_preview_counts_by_way_reads_as_one_patient_reads_it_and_names_who_cannot_be_reached(
    as_rana, visit, book, words
):
    book(PatientFactory(given="Noor", email="", phone=""), 2)
    page = write(as_rana, words)
    for text in ("It reaches 1 patient", "email: 1", "As Ada Quinn reads it", "Dear Ada, please use the stairs on"):
        assertContains(page, text)
    assertContains(page, "Noor")
    assertNotContains(page, "{{ time }}")
    assert not notes().exists()


def test_it_goes_once_to_each_person_after_a_minute_and_the_log_has_it(as_rana, visit, book, words, mailoutbox, ada):
    book(ada, 2)
    parent = "parent@example.com"
    book(PatientFactory(email=parent), 3)
    book(PatientFactory(email=parent), 4)
    write(as_rana, words)
    page = press(as_rana, "send")
    assertContains(page, "Undo")
    assert list(notes().filter(medium="email").values_list("address", flat=True)) == [ada.email, parent]
    assertContains(press(as_rana, "send"), "This message was sent already.")
    assert not Batch(now=timezone.now()).deliver_next(now=timezone.now())
    deliver()
    assert [mail.subject for mail in mailoutbox] == ["The lift is broken"] * 2
    assertContains(as_rana.get(f"{MESSAGES}{StaffMessage.objects.get().pk}/"), "Sent")
    assertContains(as_rana.get(f"/staff/appointments/{visit.fhir_id}/"), "own words")
    assert AuditEvent.objects.filter(subtype="write").count() == 1


def test_it_is_undone_until_it_is_sent(as_rana, visit, words, mailoutbox):
    write(as_rana, words)
    press(as_rana, "send")
    assertContains(press(as_rana, "undo"), "Undone. Nobody was told.")
    deliver()
    assert mailoutbox == []
    write(as_rana, words)
    press(as_rana, "send")
    deliver()
    assertContains(press(as_rana, "undo"), "It is being sent already.")


def test_each_is_told_the_way_they_want_and_no_text_goes_to_who_answered_stop(as_rana, book, words, settings):
    settings.SMS_ENABLED = True
    wants_texts = PatientFactory(email="texts@example.com", phone="+12125550111")
    stopped = PatientFactory(email="mails@example.com", phone="+12125550122")
    MessagePreferencesFactory(patient=wants_texts, by_email=False)
    MessagePreferencesFactory(patient=stopped, stopped_numbers=["+12125550122"])
    book(wants_texts)
    book(stopped, 2)
    write(as_rana, words)
    press(as_rana, "send")
    assert sorted(notes().values_list("medium", "address")) == [
        ("email", "mails@example.com"),
        ("sms", "+12125550111"),
    ]


def test_the_selection_is_a_day_a_calendar_an_absence_or_a_waiting_list(as_rana, visit, book, words, schedule, ten):
    book(PatientFactory(email="later@example.com"), 48)
    page = write(as_rana, words)
    assertContains(page, "It reaches 1 patient")
    page = write(as_rana, words | {"last": f"{ten + timedelta(days=2):%Y-%m-%d}", "calendars": [schedule.fhir_id]})
    assertContains(page, "It reaches 2 patients")
    absence = AbsenceFactory(bookable=schedule.bookable, start=ten, end=ten + timedelta(hours=1))
    page = as_rana.post(f"{MESSAGES}new/?absence={absence.pk}", words, follow=True)
    assertContains(page, "It reaches 1 patient")
    course = ServiceFactory(name="Course", has_waitlist=True)
    schedule.services.add(course)
    AppointmentFactory(patient=PatientFactory(email="w@example.com"), service=course, status="waitlist", start=None)
    waiting = words | {"whom": "waiting", "service": course.fhir_id}
    assertContains(write(as_rana, waiting), "There is no placeholder {{ time }}.")
    page = write(as_rana, waiting | {"body": "Dear {{ name }}, we are closed."})
    assertContains(page, "It reaches 1 patient")
    press(as_rana, "send")
    assert list(notes().values_list("address", "appointment")) == [("w@example.com", None)]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"subject": ""}, "Enter a subject."),
        ({"body": ""}, "Enter the message."),
        ({"first": ""}, "Enter the first day."),
        ({"body": "{{ secret }}"}, "There is no placeholder {{ secret }}."),
        ({"body": "{% load i18n %}"}, "This cannot be read"),
    ],
)
def test_what_is_wrong_is_said_and_the_typed_text_stays(as_rana, words, change, error):
    page = write(as_rana, words | change)
    assertContains(page, error)
    assertContains(page, "The lift is broken" if "subject" not in change else "please use the stairs")


def test_a_cancelled_visit_gets_no_message(as_rana, visit, words, mailoutbox):
    write(as_rana, words)
    press(as_rana, "send")
    visit.status = "cancelled"
    visit.save()
    deliver()
    assert mailoutbox == []


def test_colleagues_do_not_see_it_and_it_reaches_only_patients_of_the_authors_calendars(
    as_rana, visit, words, client, chen
):
    write(as_rana, words)
    message = StaffMessage.objects.get()
    client.force_login(chen.user)
    assert client.get(f"{MESSAGES}{message.pk}/").status_code == 404


def test_the_author_sends_only_so_many_within_a_day(as_rana, visit, words, settings):
    settings.STAFF_MESSAGES_PER_DAY = 1
    for _ in range(2):
        write(as_rana, words)
        page = press(as_rana, "send")
    assertContains(page, "You have sent many messages today.")


def test_a_changed_draft_is_refused_with_an_older_version(as_rana, visit, words):
    write(as_rana, words)
    message = StaffMessage.objects.get()
    change = f"{MESSAGES}{message.pk}/change/"
    as_rana.post(change, words | {"version": 1, "subject": "The lift works"})
    page = as_rana.post(change, words | {"version": 1}, follow=True)
    assertContains(page, "Somebody else has changed this message in the meantime.")
    message.refresh_from_db()
    assert message.subject == "The lift works"


def test_the_preview_has_as_many_queries_for_many_patients_as_for_few(as_rana, visit, book, words):
    write(as_rana, words)
    page = f"{MESSAGES}{StaffMessage.objects.get().pk}/"
    as_rana.get(page)
    with CaptureQueriesContext(connection) as few:
        as_rana.get(page)
    for number in range(6):
        child = PatientFactory(email=f"{number}@example.com")
        RelatedPersonFactory(patient=child)
        book(child, number + 1)
    as_rana.get(page)
    with CaptureQueriesContext(connection) as many:
        assertContains(as_rana.get(page), "It reaches 7 patients")
    assert len(many) == len(few)
