"""Series as use cases: all visits or none, one message for all, and reminders for each."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Communication, Event, Slot
from scheduling import availability, booking, notifications
from scheduling.access import Caller
from scheduling.availability import SeriesQuery, TimeQuery, as_datetime
from scheduling.booking import Occurrences
from scheduling.errors import (
    Invalid,
    PatientElsewhere,
    RuleBroken,
    ScheduleBusy,
    SchedulingError,
    TimeNotOffered,
    TimeTaken,
)
from tests.factories import (
    AppointmentFactory,
    PatientFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)
from tests.scheduling.notifications.messages import deliver
from tests.scheduling.series import book_series, series_wish, week
from tests.scheduling.situations import NEW_YORK, SOFTWARE, another_connection, hold, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return ServiceFactory(name="Physiotherapy")


@pytest.fixture
def schedule(service):
    return ScheduleFactory(services=[service])


@pytest.fixture
def patient():
    return PatientFactory(given="Ada", email="ada@example.com")


def messages(event):
    return list(Communication.objects.filter(event=event).order_by("pk"))


# What is found can be booked


def attempt(request):
    """Book the series and let go of it again. Returns True if it could be booked."""
    try:
        visits = book_series(request)
    except SchedulingError:
        return False
    booking.cancel_series(visits[0].fhir_id, Occurrences.ALL, caller=SOFTWARE, now=timezone.now())
    return True


def test_series_that_are_found_can_be_booked_and_others_are_refused(service):
    """A morning of the grid, on a practitioner and a room of other hours, with something in the way in most weeks."""
    practitioner = ScheduleFactory(services=[service])
    room = ScheduleFactory(services=[service], actor=RoomFactory(timezone="America/New_York"))
    for number, schedule, hour, minute in ((1, practitioner, 9, 0), (2, room, 10, 15), (3, practitioner, 11, 30)):
        start = week(number, hour, minute)
        SlotFactory(schedule=schedule, start=start, end=start + timedelta(minutes=20))
    offerings = availability.offerings_of(service, [practitioner.fhir_id, room.fhir_id])
    window = TimeQuery(
        ways=availability.ways_of(service, [tuple((each,) for each in offerings)]), start=week(0, 9), end=week(0, 13)
    )
    query = SeriesQuery(first=window, count=4, most_conflicts=1)
    found = {as_datetime(each.start): each for each in availability.find_series(query, now=timezone.now())}

    whole = {start for start, each in found.items() if not each.conflicts}
    grid = [week(0, 9) + timedelta(minutes=15 * number) for number in range(15)]
    assert 0 < len(whole) < len(found) == len(grid)
    for start in grid:
        starts = [as_datetime(at) for at in found[start].starts]
        assert attempt(series_wish(service, practitioner, room, starts=starts)) is (start in whole)
        for conflict in found[start].conflicts:
            for alternative in conflict.alternatives:
                starts[conflict.number - 1] = as_datetime(alternative)
                assert attempt(series_wish(service, practitioner, room, starts=starts)), (start, alternative)


# Messages


def test_one_confirmation_lists_all_visits(service, schedule, patient):
    book_series(series_wish(service, schedule, patient=patient))
    [message] = messages(Event.CONFIRMATION)
    deliver()
    [letter] = mail.outbox
    assert letter.to == ["ada@example.com"]
    assert "and 2 more visits" in letter.subject
    for number in range(3):
        day = week(number).astimezone(NEW_YORK)
        assert f"{day:%A, %B} {day.day}, {day.year}" in letter.body
    assert "Series: 1 of 3" in letter.body
    message.refresh_from_db()
    assert message.status == "completed"


def test_its_calendar_file_has_all_visits(service, schedule, patient):
    visits = book_series(series_wish(service, schedule, patient=patient))
    deliver()
    [calendar] = mail.outbox[0].attachments
    text = calendar.get_payload(decode=True).decode().replace("\r\n ", "")
    assert [text.count(f"UID:{visit.fhir_id}") for visit in visits] == [1, 1, 1]
    assert "METHOD:PUBLISH" in text
    assert "ATTENDEE" not in text


def test_each_visit_has_its_reminders(service, schedule, patient):
    visits = book_series(series_wish(service, schedule, patient=patient))
    planned = [(each.appointment_id, each.appointment.start - each.due) for each in messages(Event.REMINDER)]
    expected = [(visit.pk, before) for visit in visits for before in service.reminders]
    assert sorted(planned) == sorted(expected)


def test_one_cancellation_lists_all_visits_and_no_reminder_is_left(service, schedule, patient):
    visits = book_series(series_wish(service, schedule, patient=patient))
    deliver()
    mail.outbox.clear()
    booking.cancel_series(visits[1].fhir_id, Occurrences.FOLLOWING, caller=SOFTWARE, now=timezone.now())
    deliver()
    [letter] = mail.outbox
    assert "and 1 more visit is cancelled" in letter.subject
    days = [week(number).astimezone(NEW_YORK) for number in range(3)]
    assert [f"{day:%B} {day.day}, {day.year}" in letter.body for day in days] == [False, True, True]
    waiting = [each.appointment_id for each in messages(Event.REMINDER) if each.status == "preparation"]
    assert set(waiting) == {visits[0].pk}


def test_a_visit_that_is_cancelled_before_the_confirmation_is_sent_is_left_out(service, schedule, patient):
    visits = book_series(series_wish(service, schedule, patient=patient))
    booking.cancel(visits[0].fhir_id, caller=SOFTWARE, now=timezone.now())
    deliver()
    confirmation = next(each for each in mail.outbox if "booked" in each.subject)
    days = [week(number).astimezone(NEW_YORK) for number in range(3)]
    assert [f"{day:%B} {day.day}, {day.year}" in confirmation.body for day in days] == [False, True, True]


def test_a_series_that_is_cancelled_before_the_confirmation_is_sent_is_not_confirmed(service, schedule, patient):
    visits = book_series(series_wish(service, schedule, patient=patient))
    booking.cancel_series(visits[0].fhir_id, Occurrences.ALL, caller=SOFTWARE, now=timezone.now())
    deliver()
    assert [each.event for each in Communication.objects.filter(status="completed")] == [Event.CANCELLATION]


def test_a_confirmed_series_is_told_of_once(service, schedule, patient):
    request = series_wish(service, schedule, patient=patient)
    held = booking.hold_series(request, caller=SOFTWARE, now=timezone.now())
    assert messages(Event.CONFIRMATION) == []
    booking.confirm_series(held[0].fhir_id, Occurrences.ALL, caller=SOFTWARE, now=timezone.now())
    assert len(messages(Event.CONFIRMATION)) == 1
    assert {each.appointment_id for each in messages(Event.REMINDER)} == {visit.pk for visit in held}


def test_a_requested_series_is_told_of_once(patient):
    service = ServiceFactory(on_request=True)
    schedule = ScheduleFactory(services=[service])
    schedule.bookable.practitioner.user = UserFactory(email="chen@example.com")
    schedule.bookable.practitioner.save()
    visits = book_series(series_wish(service, schedule, patient=patient))
    assert {visit.status for visit in visits} == {"pending"}
    assert all(visit.is_request for visit in visits)
    deliver()
    assert sorted(letter.to[0] for letter in mail.outbox) == ["ada@example.com", "chen@example.com"]
    day = week(2).astimezone(NEW_YORK)
    assert all(f"{day:%B} {day.day}, {day.year}" in letter.body for letter in mail.outbox)


def test_a_message_of_a_series_that_is_sent_again_lists_all_visits(service, schedule, patient):
    book_series(series_wish(service, schedule, patient=patient))
    [message] = messages(Event.CONFIRMATION)
    deliver()
    mail.outbox.clear()
    notifications.send_again(message, now=timezone.now())
    deliver()
    assert "and 2 more visits" in mail.outbox[0].subject


def test_staff_see_the_confirmation_at_each_visit(service, schedule, patient):
    visits = book_series(series_wish(service, schedule, patient=patient))
    [message] = messages(Event.CONFIRMATION)
    for visit in visits:
        entries = notifications.timeline(visit)
        assert [each.message for each in entries if each.message.event != Event.REMINDER] == [message]
        assert {each.message.appointment_id for each in entries if each.message.event == Event.REMINDER} == {visit.pk}


# All or nothing


def test_each_visit_has_its_audit_line(service, schedule, patient):
    visits = book_series(series_wish(service, schedule, patient=patient))
    lines = AuditEvent.objects.filter(subtype="book").values_list("appointment_id", flat=True)
    assert sorted(lines) == [visit.pk for visit in visits]


def test_a_refusal_leaves_nothing(service, schedule, patient):
    hold(wish(service, schedule, at=week(2)))
    with pytest.raises(TimeTaken) as refused:
        book_series(series_wish(service, schedule, patient=patient))
    assert refused.value.occurrence == 3
    assert Appointment.objects.filter(series__isnull=False).count() == 0
    assert Communication.objects.count() == 0


def test_no_visit_is_held_longer_or_shorter_than_the_others(service, schedule):
    held = booking.hold_series(series_wish(service, schedule), caller=SOFTWARE, now=timezone.now())
    with pytest.raises(RuleBroken, match="held together"):
        booking.extend_hold(held[1].fhir_id, caller=SOFTWARE, now=timezone.now())
    booking.note_presence(held[1].fhir_id, here=False, caller=SOFTWARE, now=timezone.now())
    assert Appointment.objects.filter(left_at=None).count() == 3
    booking.release_expired_holds(now=held[0].hold_expires_at)
    assert set(Appointment.objects.values_list("status", flat=True)) == {"cancelled"}
    assert not Slot.objects.filter(deleted_at=None).exists()


def test_a_held_series_is_extended_named_and_supported_together(service, schedule, patient):
    held = booking.hold_series(series_wish(service, schedule), caller=SOFTWARE, now=timezone.now())
    now = timezone.now()
    extended = booking.extend_series(held[1].fhir_id, caller=SOFTWARE, now=now)
    assert {visit.hold_expires_at for visit in extended} == {held[0].hold_expires_at + settings.HOLD_FOR}
    assert set(Slot.objects.values_list("hold_expires_at", flat=True)) == {extended[0].hold_expires_at}
    with pytest.raises(RuleBroken, match="extended already"):
        booking.extend_series(held[0].fhir_id, caller=SOFTWARE, now=now)
    booking.name_series(held[2].fhir_id, patient, caller=SOFTWARE, now=now)
    booking.support_series(held[0].fhir_id, ["Coverage/1"], caller=SOFTWARE, now=now)
    for visit in Appointment.objects.all():
        assert (visit.patient, visit.extra["supportingInformation"]) == (patient, [{"reference": "Coverage/1"}])


def test_a_patient_who_has_another_visit_then_is_not_named_for_any(service, schedule, patient):
    held = booking.hold_series(series_wish(service, schedule), caller=SOFTWARE, now=timezone.now())
    AppointmentFactory(patient=patient, start=week(1), end=week(1, 11))
    with pytest.raises(PatientElsewhere, match=r"^Appointment 2 of 3"):
        booking.name_series(held[0].fhir_id, patient, caller=SOFTWARE, now=timezone.now())
    assert not Appointment.objects.filter(pk__in=[visit.pk for visit in held], patient=patient).exists()


def test_another_hold_takes_the_place_of_a_held_series_or_leaves_it(service, schedule):
    caller = Caller(guest="a-secret-of-this-browser")
    now = timezone.now()
    held = booking.hold_series(series_wish(service, schedule), caller=caller, now=now)
    hold(wish(service, schedule, at=week(6)), caller=SOFTWARE)
    with pytest.raises(TimeTaken):
        booking.hold_series(
            series_wish(service, schedule, starts=[week(0), week(6)]),
            caller=caller,
            now=now,
            instead_of=held[0].fhir_id,
        )
    assert Appointment.objects.filter(series=held[0].series, status="pending").count() == 3
    overlapping = series_wish(service, schedule, starts=[week(0, 10, 15), week(1), week(3)])
    other = booking.hold_series(overlapping, caller=caller, now=now, instead_of=held[0].fhir_id)
    assert set(Appointment.objects.filter(series=held[0].series).values_list("status", flat=True)) == {"cancelled"}
    request = wish(service, schedule, at=week(4))
    booking.hold(request, caller=caller, now=now, instead_of=other[0].fhir_id)
    assert set(Appointment.objects.filter(series=other[0].series).values_list("status", flat=True)) == {"cancelled"}


@pytest.mark.django_db(transaction=True)
def test_a_held_series_that_somebody_else_changes_is_not_waited_for(service, schedule):
    """Others lock the visits in their order: waiting for the first with a later one locked could be a deadlock."""
    caller, now = Caller(guest="a-secret-of-this-browser"), timezone.now()
    held = booking.hold_series(series_wish(service, schedule), caller=caller, now=now)
    request = wish(service, schedule, at=week(6))
    with another_connection() as execute:
        execute("BEGIN")
        execute(f"SELECT 1 FROM clinic_appointment WHERE id = {held[0].pk} FOR NO KEY UPDATE")
        with pytest.raises(ScheduleBusy):
            booking.hold(request, caller=caller, now=now, instead_of=held[2].fhir_id)
        execute("ROLLBACK")
    booking.hold(request, caller=caller, now=now, instead_of=held[2].fhir_id)
    assert set(Appointment.objects.filter(series=held[0].series).values_list("status", flat=True)) == {"cancelled"}


def test_visits_of_one_series_may_not_overlap(service, schedule):
    with pytest.raises(Invalid, match="begins before the previous one has ended"):
        book_series(series_wish(service, schedule, starts=[week(0), week(1), week(1, 10, 15)]))


@pytest.mark.parametrize("limit", ["day_limit", "week_limit"])
def test_the_visits_of_a_series_count_for_one_another(service, schedule, limit):
    """Two of the visits are on one day."""
    service.scheduling_parameters.update(**{limit: 2})
    starts = [week(0), week(0, 14), week(2)]
    book_series(series_wish(service, schedule, starts=starts))
    service.scheduling_parameters.update(**{limit: 1})
    moved = [start + timedelta(weeks=4) for start in starts]
    with pytest.raises(TimeNotOffered, match="so many visits of the series") as refused:
        book_series(series_wish(service, schedule, starts=moved))
    assert refused.value.occurrence == 1


def test_a_series_has_as_many_visits_as_a_patient_may_have(service, schedule, patient):
    service.patient_limit = 3
    service.save()
    with pytest.raises(RuleBroken, match=r"^Appointment 1 of 4 .*3 upcoming visits"):
        book_series(series_wish(service, schedule, patient=patient, count=4))
    assert len(book_series(series_wish(service, schedule, patient=patient, count=3))) == 3


def test_rooms_and_devices_are_taken_in_every_week(service, schedule):
    other = ScheduleFactory(services=[service])
    visits = book_series(series_wish(service, schedule, other))
    assert [visit.slots.count() for visit in visits] == [2, 2, 2]
    assert Slot.objects.filter(schedule=other, status="busy").count() == 3


def test_a_merged_patient_s_series_is_the_survivor_s(service, schedule, patient):
    link = [{"type": "replaced-by", "other": {"reference": patient.reference}}]
    merged = PatientFactory(active=False, extra={"link": link})
    visits = book_series(series_wish(service, schedule, patient=merged))
    assert {visit.patient for visit in visits} == {patient}


def test_a_series_is_found_again_by_its_columns(service, schedule):
    visits = book_series(series_wish(service, schedule, count=5))
    [series] = {visit.series for visit in visits}
    rows = Appointment.objects.filter(series=series).order_by("occurrence")
    assert list(rows.values_list("occurrence", "occurrences")) == [(number, 5) for number in range(1, 6)]
