"""Slots and Appointments in Django's admin follow the same rules as everywhere."""

import pytest
from django.utils import timezone

from clinic.models import Appointment, Slot
from scheduling import booking
from tests.clinic.admin.pages import url
from tests.factories import (
    AppointmentFactory,
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)
from tests.scheduling.situations import NEW_YORK, SOFTWARE, hold, monday, wish


@pytest.fixture
def appointment(service, chen, ada):
    return AppointmentFactory(service=service, patient=ada, schedules=[chen], start=monday(10), site=chen.site)


def wall(name, moment):
    """The two inputs of a form for a moment, in New York's local time."""
    local = moment.astimezone(NEW_YORK)
    return {f"{name}_0": f"{local:%Y-%m-%d}", f"{name}_1": f"{local:%H:%M}"}


def block(schedule, start, end):
    times = wall("start", start) | wall("end", end)
    return {"schedule": schedule.pk, "status": "busy-unavailable", "comment": "Lunch"} | times


def visit(service, schedules, patient, start):
    return {
        "service": service.pk,
        "schedules": [schedule.pk for schedule in schedules],
        "patient": patient.pk,
        "comment": "",
    } | wall("starts", start)


def errors(response):
    assert response.status_code == 200
    return " ".join(str(error) for each in response.context["errors"] for error in each)


def change(desk, appointment, **data):
    query = {"comment": appointment.comment, "seen_version": appointment.version, "step": "", "reason": ""} | data
    return desk.post(url(Appointment, "change", appointment.pk), query)


@pytest.mark.parametrize("model", [Slot, Appointment])
def test_every_page_opens_for_the_administrator_alone(desk, appointment, chen, model):
    SlotFactory(schedule=chen, start=monday(12))
    pages = [url(model, "changelist"), url(model, "add")]
    pages += [url(model, "change", row.pk) for row in model.objects.all()]

    for page in pages:
        assert desk.get(page).status_code == 200

    desk.force_login(UserFactory())
    for page in pages:
        assert desk.get(page).status_code == 302


@pytest.mark.parametrize("model", [Slot, Appointment])
def test_a_list_costs_the_same_however_long_it_is(desk, site, model, django_assert_max_num_queries):
    def more():
        service = ServiceFactory()
        AppointmentFactory(service=service, site=site, schedules=[ScheduleFactory(services=[service], site=site)])

    more()
    desk.get(url(model, "changelist"))
    with django_assert_max_num_queries(20) as few:
        desk.get(url(model, "changelist"))
    for _ in range(5):
        more()

    with django_assert_max_num_queries(len(few.captured_queries)):
        desk.get(url(model, "changelist"))


def test_time_is_blocked_on_the_clock_of_the_schedule(desk, chen):
    response = desk.post(url(Slot, "add"), block(chen, monday(12), monday(13)))

    assert response.status_code == 302, errors(response)
    slot = Slot.objects.get()
    assert (slot.start, slot.end, slot.bookable) == (monday(12), monday(13), chen.bookable)
    assert "12:00 – 1:00 PM (New York time)" in desk.get(url(Slot, "changelist")).content.decode()


def test_a_slot_that_overlaps_is_refused_in_words(desk, chen, appointment):
    response = desk.post(url(Slot, "add"), block(chen, monday(9), monday(11)))

    assert "is taken already" in errors(response)
    assert Slot.objects.get().appointment == appointment


def test_a_slot_that_ends_before_it_starts_is_refused(desk, chen):
    assert "ends before it starts" in errors(desk.post(url(Slot, "add"), block(chen, monday(13), monday(12))))


def test_half_a_time_is_no_time(desk, appointment):
    response = change(desk, appointment, **wall("starts", monday(11)) | {"starts_1": ""})

    assert "both a date and a time" in errors(response)


def test_a_time_without_a_schedule_is_refused(desk, chen):
    data = block(chen, monday(12), monday(13)) | {"schedule": ""}

    assert "required" in errors(desk.post(url(Slot, "add"), data))


def test_a_slot_is_moved_and_may_not_come_to_lie_on_a_visit(desk, chen, appointment):
    slot = SlotFactory(schedule=chen, start=monday(12))
    page = url(Slot, "change", slot.pk)

    assert desk.post(page, block(chen, monday(14), monday(15))).status_code == 302
    slot.refresh_from_db()
    assert (slot.start, slot.version) == (monday(14), 2)

    assert "no longer free" in errors(desk.post(page, block(chen, monday(10), monday(11))))
    slot.refresh_from_db()
    assert (slot.start, slot.version) == (monday(14), 2)


def test_the_form_shows_the_wall_clock(desk, chen):
    slot = SlotFactory(schedule=chen, start=monday(12))

    form = desk.get(url(Slot, "change", slot.pk)).context["adminform"].form

    assert 'value="12:00"' in str(form["start"])


def test_a_slot_that_is_removed_leaves_its_time_free(desk, chen):
    slot = SlotFactory(schedule=chen, start=monday(12))

    response = desk.post(url(Slot, "delete", slot.pk), {"post": "yes"})

    assert response.status_code == 302
    slot.refresh_from_db()
    assert slot.deleted_at is not None
    assert desk.post(url(Slot, "add"), block(chen, monday(12), monday(13))).status_code == 302


def test_the_slots_of_an_appointment_can_only_be_read(desk, appointment):
    slot = appointment.slots.get()

    page = desk.get(url(Slot, "change", slot.pk)).content.decode()

    assert url(Appointment, "change", appointment.pk) in page
    assert desk.post(url(Slot, "change", slot.pk), {}).status_code == 403
    assert desk.post(url(Slot, "delete", slot.pk), {"post": "yes"}).status_code == 403


def test_a_slot_that_an_appointment_has_got_meanwhile_is_not_deleted(desk, chen, appointment, monkeypatch):
    slot = appointment.slots.get()
    monkeypatch.setattr("scheduling.admin.slots.SlotAdmin.has_delete_permission", lambda *args: True)

    response = desk.post(url(Slot, "delete", slot.pk), {"post": "yes"}, follow=True)

    assert "belongs to an Appointment" in response.content.decode()
    slot.refresh_from_db()
    assert slot.deleted_at is None


@pytest.mark.parametrize("model", [Slot, Appointment])
def test_many_at_once_are_not_deleted(desk, model, appointment):
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in model.objects.all()]}

    desk.post(url(model, "changelist"), chosen)

    assert not model.objects.exclude(deleted_at=None).exists()
    assert "delete_selected" not in desk.get(url(model, "changelist")).content.decode()


def test_an_appointment_that_is_booked_takes_its_time(desk, service, chen, ada):
    response = desk.post(url(Appointment, "add"), visit(service, [chen], ada, monday(10)))

    assert response.status_code == 302, errors(response)
    appointment = Appointment.objects.get()
    assert (appointment.status, appointment.patient, appointment.start) == ("booked", ada, monday(10))
    assert [(slot.status, slot.schedule) for slot in appointment.slots.all()] == [("busy", chen)]


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (monday(7), "outside the hours"),
        (monday(10, 5), "does not start at that time of day"),
        (monday(10), "no longer free"),
    ],
)
def test_a_time_that_is_not_to_be_had_is_refused_with_the_reason(desk, service, chen, appointment, bo, start, words):
    response = desk.post(url(Appointment, "add"), visit(service, [chen], bo, start))

    assert words in errors(response)
    assert Appointment.objects.count() == 1


def test_a_schedule_that_does_not_offer_the_service_is_refused(desk, service, ada):
    other = ScheduleFactory()

    assert "not schedulable" in errors(desk.post(url(Appointment, "add"), visit(service, [other], ada, monday(10))))


def test_cancelling_frees_the_time_and_keeps_the_reason(desk, appointment):
    response = change(desk, appointment, step="cancelled", reason="Caught a cold")

    assert response.status_code == 302, errors(response)
    appointment.refresh_from_db()
    assert (appointment.status, appointment.cancelation_reason) == ("cancelled", {"text": "Caught a cold"})
    assert not appointment.slots.filter(deleted_at=None).exists()


def test_an_appointment_is_moved_and_keeps_its_schedule(desk, appointment, chen):
    response = change(desk, appointment, **wall("starts", monday(11)))

    assert response.status_code == 302, errors(response)
    appointment.refresh_from_db()
    assert appointment.start == monday(11)
    assert [slot.start for slot in appointment.slots.filter(deleted_at=None)] == [monday(11)]


def test_an_appointment_is_moved_to_another_schedule_at_the_same_time(desk, appointment, service):
    other = ScheduleFactory(services=[service])

    response = change(desk, appointment, schedules=[other.pk])

    assert response.status_code == 302, errors(response)
    slot = appointment.slots.get(deleted_at=None)
    assert (slot.schedule, slot.start) == (other, monday(10))


def test_a_move_that_is_refused_leaves_the_old_time_untouched(desk, appointment):
    response = change(desk, appointment, **wall("starts", monday(7)))

    assert "outside the hours" in errors(response)
    assert appointment.slots.get(deleted_at=None).start == monday(10)


def test_another_comment_changes_nothing_else(desk, appointment):
    assert change(desk, appointment, comment="Needs a lift").status_code == 302

    appointment.refresh_from_db()
    assert (appointment.comment, appointment.status, appointment.version) == ("Needs a lift", "booked", 2)


def test_one_thing_at_a_time(desk, appointment):
    response = change(desk, appointment, step="cancelled", comment="Also this")

    assert "Make one change at a time" in errors(response)
    appointment.refresh_from_db()
    assert appointment.status == "booked"


def test_a_change_by_another_user_is_not_overwritten(desk, appointment):
    with booking.all_or_nothing():
        booking.amend(appointment.fhir_id, {"comment": "Was faster"}, caller=SOFTWARE, now=timezone.now())

    response = change(desk, appointment, step="cancelled")

    assert "Someone else has changed this" in errors(response)
    appointment.refresh_from_db()
    assert (appointment.status, appointment.comment) == ("booked", "Was faster")


def test_an_appointment_cannot_be_deleted(desk, appointment):
    assert desk.post(url(Appointment, "delete", appointment.pk), {"post": "yes"}).status_code == 403


def test_the_steps_of_a_day_are_actions_and_a_refusal_keeps_back_nobody_else(desk, appointment, service, chen):
    over = AppointmentFactory(service=service, status="cancelled", start=monday(12))
    chosen = {"action": "mark_arrived", "_selected_action": [appointment.pk, over.pk]}

    response = desk.post(url(Appointment, "changelist"), chosen, follow=True)

    page = response.content.decode()
    assert "1 visit is now: arrived." in page
    assert "This step is not possible for a visit with the status: Cancelled." in page
    appointment.refresh_from_db()
    assert appointment.status == "arrived"


def test_a_hold_is_confirmed(desk, service, chen, ada):
    held = hold(wish(service, chen, at=monday(10), patient=ada))

    desk.post(url(Appointment, "changelist"), {"action": "confirm_hold", "_selected_action": [held.pk]})

    held.refresh_from_db()
    assert (held.status, held.hold_expires_at) == ("booked", None)


def test_many_are_cancelled_each_on_its_own(desk, service, chen):
    visits = [
        AppointmentFactory(service=service, patient=PatientFactory(), schedules=[chen], start=monday(9 + hour))
        for hour in range(3)
    ]

    desk.post(
        url(Appointment, "changelist"),
        {"action": "cancel_visits", "_selected_action": [each.pk for each in visits]},
    )

    assert set(Appointment.objects.values_list("status", flat=True)) == {"cancelled"}
    assert not Slot.objects.filter(deleted_at=None).exists()
