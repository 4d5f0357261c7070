"""A booking takes its time on every schedule, or on none, and a refusal says why."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, HealthcareService, Slot
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.errors import Forbidden, Invalid, RuleBroken, TimeNotOffered, TimeTaken
from tests.factories import (
    DeviceFactory,
    LocationFactory,
    PatientFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_writes_the_appointment_its_slot_and_who_did_it(service, chen, ada):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))

    assert (appointment.status, appointment.patient, appointment.service) == ("booked", ada, service)
    slot = Slot.objects.get(appointment=appointment)
    assert (slot.status, slot.start, slot.end) == ("busy", monday(10), monday(10, 30))
    assert AuditEvent.objects.get(appointment=appointment, subtype="book").client == "software"


def test_buffers_are_slots_of_their_own(chen, ada):
    service = ServiceFactory(buffer_before=5, buffer_after=10)
    chen.services.add(service)

    book(wish(service, chen, at=monday(10), patient=ada))

    assert list(Slot.objects.values_list("status", "start", "end")) == [
        ("busy-unavailable", monday(9, 55), monday(10)),
        ("busy", monday(10), monday(10, 30)),
        ("busy-unavailable", monday(10, 30), monday(10, 40)),
    ]


def test_practitioner_room_and_device_are_taken_together_or_not_at_all(service, chen, ada, bo):
    room = ScheduleFactory(services=[service], actor=RoomFactory())
    device = ScheduleFactory(services=[service], actor=DeviceFactory())
    book(wish(service, device, at=monday(10), patient=bo))

    with pytest.raises(TimeTaken):
        book(wish(service, chen, room, device, at=monday(10), patient=ada))

    assert Slot.objects.count() == 1
    book(wish(service, chen, room, device, at=monday(11), patient=ada))
    assert Slot.objects.count() == 4


def test_a_required_kind_of_schedule_cannot_be_left_out(chen, ada):
    service = ServiceFactory(name="Ultrasound", requires=["Practitioner", "Location", "Device"])
    room = ScheduleFactory(services=[service], actor=RoomFactory())
    chen.services.add(service)
    with pytest.raises(RuleBroken, match="Ultrasound takes a Device too"):
        book(wish(service, chen, room, at=monday(10), patient=ada))


def test_a_time_that_is_taken_is_refused_whatever_the_service(service, chen, ada, bo):
    other = ServiceFactory(duration=60, interval=30)
    chen.services.add(other)
    book(wish(service, chen, at=monday(10), patient=ada))

    with pytest.raises(TimeTaken):
        book(wish(other, chen, at=monday(9, 30), patient=bo))


def test_two_schedules_of_one_person_share_the_persons_time(service, chen, ada, bo):
    elsewhere = ScheduleFactory(services=[service], actor=chen.actor, timezone="America/Los_Angeles")
    book(wish(service, chen, at=monday(13), patient=ada))

    with pytest.raises(TimeTaken):
        book(wish(service, elsewhere, at=monday(13), patient=bo))
    with pytest.raises(Invalid, match="same actor"):
        book(wish(service, chen, elsewhere, at=monday(14), patient=bo))


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        pytest.param(monday(10, 7), "does not start at that time", id="off the grid"),
        pytest.param(monday(8), "outside the hours", id="before opening"),
        pytest.param(monday(16, 45), "outside the hours", id="would end after closing"),
        pytest.param(monday(10, days=5), "outside the hours", id="on Saturday"),
        pytest.param(monday(10, days=-28), "too soon", id="in the past"),
    ],
)
def test_a_time_that_is_not_offered_is_refused_with_the_reason(service, chen, start, reason):
    with pytest.raises(TimeNotOffered, match=reason):
        book(wish(service, chen, at=start))
    assert Appointment.objects.count() == 0


def test_every_reason_is_reported_at_once(service, chen, ada):
    book(wish(service, chen, at=monday(16, 30), patient=ada))

    with pytest.raises(TimeNotOffered) as refusal:
        book(wish(service, chen, at=monday(16, 50)))

    assert [issue.code for issue in refusal.value.issues] == ["business-rule", "business-rule", "conflict"]


def test_notice_and_horizon_bind_booking_as_they_bind_finding(chen):
    service = ServiceFactory(minimum_notice=timedelta(days=30), booking_horizon_days=60)
    chen.services.add(service)
    with pytest.raises(TimeNotOffered, match="notice"):
        book(wish(service, chen, at=monday(10)))
    with pytest.raises(TimeNotOffered, match="further ahead"):
        book(wish(service, chen, at=monday(10, days=70)))
    book(wish(service, chen, at=monday(10, days=28)))


def test_a_patient_is_not_in_two_places_at_once(service, chen, ada):
    other = ScheduleFactory(services=[service])
    book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(RuleBroken, match="another visit"):
        book(wish(service, other, at=monday(10, 15), patient=ada))
    book(wish(service, other, at=monday(10, 30), patient=ada))


def test_one_off_free_time_can_be_booked_outside_the_hours(service, chen):
    Slot.objects.create(
        schedule=chen,
        bookable=chen.bookable,
        status="free",
        start=monday(18),
        end=monday(19),
        last_updated=timezone.now(),
    )
    book(wish(service, chen, at=monday(18, 30)))
    with pytest.raises(TimeNotOffered):
        book(wish(service, chen, at=monday(19)))


def test_inactive_schedules_and_services_are_refused(service, chen):
    chen.active = False
    chen.save()
    with pytest.raises(RuleBroken, match="Schedule is inactive"):
        wish(service, chen, at=monday(10))
    service.active = False
    with pytest.raises(RuleBroken, match="HealthcareService is inactive"):
        wish(service, chen, at=monday(10))


def test_a_patient_books_for_themselves_alone(service, chen, ada, bo):
    caller = Caller(user=ada.user)
    with pytest.raises(Forbidden):
        book(wish(service, chen, at=monday(10), patient=bo), caller)
    book(wish(service, chen, at=monday(10), patient=ada), caller)


def test_the_front_desk_books_at_its_own_sites(service, ada):
    here, there = (ScheduleFactory(services=[service], site=LocationFactory()) for _ in range(2))
    rana = Caller(user=UserFactory(desk_locations=[here.site]))
    book(wish(service, here, at=monday(10), patient=ada), rana)
    with pytest.raises(Forbidden, match="calendars you work with"):
        book(wish(service, there, at=monday(11), patient=ada), rana)


def test_a_practitioner_books_on_their_own_calendar(service, chen, ada):
    okafor = ScheduleFactory(services=[service])
    practitioner = chen.actor
    practitioner.user = UserFactory()
    practitioner.save()
    caller = Caller(user=practitioner.user)
    book(wish(service, chen, at=monday(10), patient=ada), caller)
    with pytest.raises(Forbidden, match="calendars you work with"):
        book(wish(service, okafor, at=monday(11), patient=ada), caller)
    visit = book(wish(service, chen, at=monday(12), patient=ada), caller)
    elsewhere = wish(service, okafor, at=monday(12)).offerings
    with pytest.raises(Forbidden):
        booking.reschedule(
            visit.fhir_id,
            booking.RescheduleRequest(offerings=elsewhere, start=monday(13)),
            caller=caller,
            now=timezone.now(),
        )


def test_a_patient_does_not_book_what_the_clinic_books(chen, ada):
    service = ServiceFactory(bookable_by=HealthcareService.BookableBy.STAFF)
    chen.services.add(service)
    with pytest.raises(Forbidden, match="by the clinic"):
        book(wish(service, chen, at=monday(10), patient=ada), Caller(user=ada.user))


@pytest.mark.parametrize(
    "caller", [Caller(), Caller(client="reader", scopes=("system/*.rs",))], ids=["nobody", "reader"]
)
def test_a_caller_without_the_right_to_book_is_refused(service, chen, caller):
    with pytest.raises(Forbidden):
        book(wish(service, chen, at=monday(10)), caller)


def test_a_class_shares_its_time_and_then_is_full(chen, bo):
    service = ServiceFactory(capacity=3, buffer_before=15)
    chen.services.add(service)
    made = [book(wish(service, chen, at=monday(10), patient=each)) for each in PatientFactory.create_batch(3)]

    assert sorted(made_.slots.get(status="busy").seat for made_ in made) == [0, 1, 2]
    with pytest.raises(TimeTaken):
        book(wish(service, chen, at=monday(10), patient=bo))


def test_a_visit_alone_never_shares_with_a_class(service, chen, ada, bo):
    group = ServiceFactory(capacity=3)
    chen.services.add(group)
    book(wish(group, chen, at=monday(10), patient=ada))
    with pytest.raises(TimeTaken):
        book(wish(service, chen, at=monday(10, 15), patient=bo))


def test_the_statements_do_not_grow_with_the_schedules(service, ada, django_assert_num_queries):
    few = ScheduleFactory.create_batch(1, services=[service])
    many = ScheduleFactory.create_batch(4, services=[service])
    requests = [wish(service, *each, at=monday(at), patient=ada) for at, each in ((10, few), (12, many))]
    for request in requests:
        with django_assert_num_queries(9):
            book(request)


def test_sql_by_hand_cannot_sell_a_time_twice(service, chen, ada):
    """The constraint refuses a second row, another schedule of the person and an invented bookable."""
    from django.db import IntegrityError

    book(wish(service, chen, at=monday(10), patient=ada))
    elsewhere = ScheduleFactory(services=[service], actor=chen.actor)
    stranger = ScheduleFactory(services=[service])
    columns = (
        "INSERT INTO clinic_slot (fhir_id, version, last_updated, extra, comment, service_type, identifier,"
        ' status, start, "end", schedule_id, bookable_id)'
        " VALUES (gen_random_uuid()::text, 1, now(), '{}', '', '[]', '[]', 'busy', %s, %s, %s, %s)"
    )
    for schedule, bookable in (
        (chen.pk, chen.bookable_id),
        (elsewhere.pk, chen.bookable_id),
        (chen.pk, stranger.bookable_id),
    ):
        with pytest.raises(IntegrityError), connection.cursor() as cursor:
            cursor.execute(columns, [monday(10, 15), monday(10, 45), schedule, bookable])
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(columns, [monday(12), monday(12), chen.pk, chen.bookable_id])


def test_a_repeated_key_is_answered_as_at_first(service, chen, ada):
    def once(fingerprint="this"):
        return booking.Once(owner="x", key="k", fingerprint=fingerprint, answer=lambda it: it.fhir_id)

    request = wish(service, chen, at=monday(10), patient=ada)
    first = booking.book(request, caller=SOFTWARE, now=timezone.now(), once=once())
    with pytest.raises(booking.AlreadyAnswered) as again:
        booking.book(request, caller=SOFTWARE, now=timezone.now(), once=once())
    assert again.value.answer == first.fhir_id
    with pytest.raises(Invalid, match="another request"):
        booking.book(request, caller=SOFTWARE, now=timezone.now(), once=once("that"))


def test_a_refusal_is_repeated_too(service, chen, ada):
    once = booking.Once(owner="x", key="k", fingerprint="this", answer=lambda it: it.fhir_id)
    first = book(wish(service, chen, at=monday(10), patient=ada))
    request = wish(service, chen, at=monday(10))
    for _ in range(2):
        with pytest.raises(TimeTaken):
            booking.book(request, caller=SOFTWARE, now=timezone.now(), once=once)
    booking.cancel(first.fhir_id, caller=SOFTWARE, now=timezone.now())
    with pytest.raises(TimeTaken):
        booking.book(request, caller=SOFTWARE, now=timezone.now(), once=once)
    assert availability.is_offered(service, request.offerings, request.start, now=timezone.now())
