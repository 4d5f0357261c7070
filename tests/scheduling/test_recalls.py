"""Recalls: a patient is to be seen again, is told when it is time, and books, declines, or staff end it."""

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from clinic import message_settings
from clinic.models import Appointment, AuditEvent, Communication, MessagePreferences, Patient, Task
from scheduling import recalls
from scheduling.access import Caller
from scheduling.errors import Invalid, NotFound, RuleBroken
from scheduling.notifications import links
from tests.factories import (
    AppointmentFactory,
    LocationFactory,
    MessageTemplateFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 6, 10, 16, tzinfo=UTC)  # noon in New York
DUE = date(2026, 12, 10)
TOLD = datetime(2026, 11, 12, 15, tzinfo=UTC)  # four weeks before, at ten in the morning in New York
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _clinic(settings):
    settings.SMS_ENABLED, settings.SMS_URL, settings.QUIET_HOURS = True, "", None
    settings.CLINIC_NAME, settings.CLINIC_TIME_ZONE = "Riverside Clinic", "America/New_York"


@pytest.fixture
def site(db):
    return LocationFactory(name="Main Street", timezone="America/New_York")


@pytest.fixture
def chen(db):
    return PractitionerFactory(given="Mei", family="Chen")


@pytest.fixture
def service(db):
    return ServiceFactory(name="Check-up")


@pytest.fixture
def ada(db):
    return PatientFactory(given="Ada", phone="+12125550123", email="ada@example.com")


@pytest.fixture
def visit(ada, service, site, chen):
    return done_visit(ada, service, site, chen)


def done_visit(patient, service, site, practitioner, start=NOW - timedelta(hours=2), status="fulfilled"):
    schedule = ScheduleFactory(services=[service], actor=practitioner, site=site)
    actor = {"reference": practitioner.reference, "display": str(practitioner)}
    return AppointmentFactory(
        patient=patient,
        service=service,
        site=site,
        start=start,
        status=status,
        schedules=[schedule],
        participant=[
            {"actor": {"reference": patient.reference}, "status": "accepted"},
            {"actor": actor, "status": "accepted"},
        ],
    )


@pytest.fixture
def rana(site):
    user = UserFactory()
    user.desk_locations.add(site)
    return Caller(user=user)


@pytest.fixture
def recall(visit, rana):
    return recalls.set_recall(visit.fhir_id, DUE, note="Bring the old pictures", caller=rana, now=NOW)


def tell(now):
    recalls.tend(now=now)
    deliver(now)


def sent_recalls():
    return list(Communication.objects.filter(event="recall", medium="email", status="completed").order_by("pk"))


def test_staff_have_a_patient_seen_again(recall, visit, chen):
    assert (recall.status, recall.due, recall.practitioner, recall.appointment) == ("requested", DUE, chen, visit)
    assert recall.next_message == TOLD
    assert AuditEvent.objects.get(subtype="recall").appointment == visit


def test_the_patient_is_told_once_with_a_link_and_reminded(recall, ada):
    tell(TOLD - timedelta(minutes=1))
    assert not sent_recalls()
    tell(TOLD)
    tell(TOLD + timedelta(minutes=5))
    [email] = mail.outbox
    assert email.subject == "Your next visit, in December 2026"
    assert email.to == ["ada@example.com"]
    assert "we would like to see you in December 2026" in email.body
    assert links.recall_link(recall) in email.body
    assert "Mei Chen" in email.body
    assert "List-Unsubscribe" in email.extra_headers
    [text] = Communication.objects.filter(event="recall", medium="sms")
    assert text.body == (
        "Riverside Clinic: it is time to plan the next visit for Ada, in December 2026."
        f" Choose a time: {links.recall_link(recall)}"
    )
    recall.refresh_from_db()
    assert (recall.status, recall.messages, recall.next_message) == ("in-progress", 1, TOLD + 14 * DAY)
    for days in range(60):
        tell(TOLD + days * DAY)
    assert [message.sent for message in sent_recalls()] == [TOLD, TOLD + 14 * DAY, TOLD + 28 * DAY]
    recall.refresh_from_db()
    assert (recall.is_open, recall.next_message) == (True, None)


@pytest.mark.parametrize("reminders", [(), (7 * DAY,)])
def test_how_often_is_a_setting(recall, settings, reminders):
    settings.RECALL_REMINDERS = reminders
    for days in range(60):
        tell(TOLD + days * DAY)
    assert len(sent_recalls()) == 1 + len(reminders)


def test_a_recall_that_is_soon_is_told_at_once(visit, rana):
    recalls.set_recall(visit.fhir_id, NOW.date() + 7 * DAY, caller=rana, now=NOW)
    tell(NOW)
    assert len(sent_recalls()) == 1


@pytest.mark.parametrize("status", ["pending", "booked", "arrived", "fulfilled"])
def test_it_ends_when_the_patient_has_booked(recall, ada, service, site, chen, status):
    booked = done_visit(ada, service, site, chen, start=TOLD + 20 * DAY, status=status)
    tell(TOLD)
    recall.refresh_from_db()
    assert (recall.status, recall.booked, recall.next_message) == ("completed", booked, None)
    assert not sent_recalls()


@pytest.mark.parametrize("other", ["cancelled", "before", "other service", "other patient", "hold"])
def test_another_visit_does_not_end_it(recall, ada, service, site, chen, other):
    patient = PatientFactory() if other == "other patient" else ada
    kind = ServiceFactory() if other == "other service" else service
    start = NOW - DAY if other == "before" else TOLD + 20 * DAY
    visit = done_visit(patient, kind, site, chen, start=start, status="cancelled" if other == "cancelled" else "booked")
    if other == "hold":
        Appointment.objects.filter(pk=visit.pk).update(status="pending", hold_expires_at=TOLD + DAY)
    tell(TOLD)
    assert len(sent_recalls()) == 1


def test_it_ends_when_the_patient_declines(recall):
    tell(TOLD)
    recalls.decline_recall(recall.fhir_id, now=TOLD)
    recalls.decline_recall(recall.fhir_id, now=TOLD)
    tell(TOLD + 14 * DAY)
    assert len(sent_recalls()) == 1
    assert Task.objects.get().status == "rejected"
    assert AuditEvent.objects.filter(subtype="recall declined").count() == 1


def test_it_ends_when_staff_end_it(recall, rana):
    recalls.end_recall(recall.fhir_id, caller=rana, now=NOW)
    tell(TOLD)
    assert not sent_recalls()
    assert Task.objects.get().status == "cancelled"


def test_what_was_written_is_not_sent_once_it_has_ended(recall, rana):
    recalls.tend(now=TOLD)
    recalls.end_recall(recall.fhir_id, caller=rana, now=TOLD)
    deliver(TOLD)
    assert {(row.status, row.status_reason) for row in Communication.objects.filter(event="recall")} == {
        ("not-done", "The recall had ended.")
    }


def test_only_staff_who_work_with_the_visit_set_and_end_it(visit, recall, ada):
    for stranger in (Caller(), Caller(user=UserFactory()), Caller(visit=visit.fhir_id, visit_patient=ada.reference)):
        with pytest.raises(NotFound):
            recalls.set_recall(visit.fhir_id, DUE, caller=stranger, now=NOW)
        with pytest.raises(NotFound):
            recalls.end_recall(recall.fhir_id, caller=stranger, now=NOW)
    assert Task.objects.get().is_open


def test_one_recall_for_a_service_at_a_time(visit, recall, rana, ada, site, chen):
    with pytest.raises(RuleBroken, match="End that first"):
        recalls.set_recall(visit.fhir_id, DUE, caller=rana, now=NOW)
    other = done_visit(ada, ServiceFactory(), site, chen, start=NOW - DAY)
    assert recalls.set_recall(other.fhir_id, DUE, caller=rana, now=NOW).is_open


@pytest.mark.parametrize("due", [NOW.date(), NOW.date() - DAY])
def test_the_day_is_still_to_come(visit, rana, due):
    with pytest.raises(Invalid):
        recalls.set_recall(visit.fhir_id, due, caller=rana, now=NOW)


@pytest.mark.parametrize("stop", ["no reminders", "inactive", "no address"])
def test_who_cannot_or_does_not_want_to_be_told_is_left_to_staff(recall, rana, ada, stop):
    if stop == "no reminders":
        MessagePreferences.objects.create(patient=ada, reminders=False)
    if stop == "inactive":
        Patient.objects.filter(pk=ada.pk).update(active=False)
    if stop == "no address":
        Patient.objects.filter(pk=ada.pk).update(phone="", email="")
    tell(TOLD)
    assert not sent_recalls()
    recall.refresh_from_db()
    assert (recall.messages, recall.next_message) == (0, None)
    assert list(recalls.open_recalls(rana)) == [recall]


def test_a_discreet_service_is_not_named(recall, service, chen):
    service.named_in_email = False
    service.save()
    MessageTemplateFactory(event="recall", subject="For {{ service }}", body="{{ with_whom }} {{ due }}")
    tell(TOLD)
    assert "Check-up" not in mail.outbox[0].subject + mail.outbox[0].body
    assert "Chen" not in mail.outbox[0].body


@pytest.mark.parametrize(
    ("language", "subject"),
    [("de", "Ihr nächster Termin, im Dezember 2026"), ("es", "Su próxima cita, en diciembre de 2026")],
)
def test_in_other_languages(recall, ada, language, subject):
    Patient.objects.filter(pk=ada.pk).update(language=language)
    tell(TOLD)
    assert mail.outbox[0].subject == subject


# The rule of a service


def test_a_rule_makes_a_recall_after_a_visit_that_took_place(visit, service, chen):
    recalls.tend(now=NOW)
    assert not Task.objects.exists(), "without a rule there is none"
    service.recall_months = 6
    service.save()
    for _ in range(2):
        recalls.tend(now=NOW)
    [recall] = Task.objects.all()
    assert (recall.by_rule, recall.due, recall.practitioner, recall.appointment) == (True, DUE, chen, visit)


@pytest.mark.parametrize("status", ["booked", "arrived", "noshow", "cancelled"])
def test_a_rule_is_about_visits_that_took_place(ada, service, site, chen, status):
    service.recall_months = 6
    service.save()
    done_visit(ada, service, site, chen, status=status)
    recalls.tend(now=NOW)
    assert not Task.objects.exists()


def test_a_rule_says_nothing_of_visits_long_before_it(ada, service, site, chen):
    service.recall_months = 6
    service.save()
    done_visit(ada, service, site, chen, start=NOW - 30 * DAY)
    recalls.tend(now=NOW)
    assert not Task.objects.exists()


def test_a_rule_adds_nothing_to_an_open_recall(recall, service):
    service.recall_months = 3
    service.save()
    recalls.tend(now=NOW)
    assert Task.objects.get() == recall


def test_a_step_that_is_taken_back_takes_the_recall_back(visit, service):
    service.recall_months = 6
    service.save()
    recalls.tend(now=NOW)
    Appointment.objects.filter(pk=visit.pk).update(status="arrived")
    recalls.tend(now=NOW)
    assert Task.objects.get().status == "cancelled"


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 31), 12, date(2027, 1, 31)),
    ],
)
def test_months_later(day, months, expected):
    assert recalls.months_after(day, months) == expected


# At once


def test_two_workers_tell_once(recall):
    barrier = Barrier(3, timeout=30)

    def work():
        try:
            barrier.wait()
            recalls.tend(now=TOLD)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Communication.objects.filter(event="recall", medium="email").count() == 1


def test_two_members_of_staff_set_one(visit, rana):
    barrier, outcomes = Barrier(3, timeout=30), []

    def work():
        try:
            barrier.wait()
            outcomes.append(recalls.set_recall(visit.fhir_id, DUE, caller=rana, now=NOW).status)
        except RuleBroken:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "refused", "requested"]


@pytest.mark.parametrize("value", ["28,14", "0,14", "a", "14,14"])
def test_reminders_are_growing_numbers_of_days(value):
    with pytest.raises(ImproperlyConfigured):
        message_settings.days("RECALL_REMINDER_DAYS", value)
    assert message_settings.days("RECALL_REMINDER_DAYS", "14, 28") == (14 * DAY, 28 * DAY)
    assert message_settings.days("RECALL_REMINDER_DAYS", "") == ()
