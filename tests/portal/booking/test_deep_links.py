"""Published links to one time, which the page's button holds."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.fhir.codes import BOOKING_REFERRAL, BOOKING_SOURCE
from clinic.models import Appointment, Slot
from tests.factories import RoomFactory, ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db

TOLD = {"source": "finder.example.org", "booking-referral": "abc-123"}


@pytest.fixture
def service(site):
    return ServiceFactory(name="Check-up")


@pytest.fixture
def schedule(service, chen, site):
    return ScheduleFactory(actor=chen, services=[service], site=site)


def link(service, schedule, at=None, **more) -> str:
    time = f"{at or monday(10):%Y-%m-%dT%H:%M:%SZ}~{schedule.fhir_id}"
    query = "&".join(f"{name}={value}" for name, value in {"time": time, **more}.items())
    return f"{reverse('portal:deep-link', args=[service.fhir_id])}?{query}"


def pressed(client, page):
    """Return the response to the button of the page."""
    return client.post(page.context["request"].path.replace("/at/", "/hold/"), {"time": page.context["choice"].value})


def came_from(appointment) -> dict[str, str]:
    return {each["url"]: each["valueString"] for each in appointment.extra.get("extension", [])}


def test_the_page_shows_the_time_and_holds_nothing_by_itself(client, service, schedule):
    page = client.get(link(service, schedule))
    assert page.status_code == 200
    assert page.context["choice"].start == monday(10)
    assert "Hold" in page.text
    assert not Appointment.objects.exists()
    assert "no-store" in page["Cache-Control"]


def test_its_button_holds_the_time(client, service, schedule):
    answer = pressed(client, client.get(link(service, schedule)))
    held = Appointment.objects.get()
    assert (held.status, held.start, held.service) == ("pending", monday(10), service)
    assert answer.status_code == 302
    assert held.fhir_id in answer["Location"]


def test_a_link_to_a_held_time_continues_the_hold(client, service, schedule):
    first = pressed(client, client.get(link(service, schedule)))
    again = client.get(link(service, schedule))
    assert (again.status_code, again["Location"]) == (302, first["Location"])
    assert Appointment.objects.count() == 1


def test_where_its_reader_comes_from_stays_with_the_visit(client, ada, service, schedule):
    client.force_login(ada.user)
    pressed(client, client.get(link(service, schedule, **TOLD)))
    held = Appointment.objects.get()
    client.post(reverse("portal:confirm", args=[held.fhir_id]))
    booked = Appointment.objects.get()
    assert booked.status == "booked"
    assert came_from(booked) == {BOOKING_SOURCE: "finder.example.org", BOOKING_REFERRAL: "abc-123"}


def test_another_time_is_chosen_and_where_one_comes_from_is_not_forgotten(client, ada, service, schedule):
    client.force_login(ada.user)
    client.get(link(service, schedule, **TOLD))
    client.get(reverse("portal:choose-time", args=[service.fhir_id]))
    hold = reverse("portal:hold", args=[service.fhir_id])
    client.post(hold, {"time": f"{monday(11):%Y-%m-%dT%H:%M:%SZ}~{schedule.fhir_id}"})
    client.post(hold, {"time": f"{monday(12):%Y-%m-%dT%H:%M:%SZ}~{schedule.fhir_id}"})
    assert came_from(Appointment.objects.get(status="pending"))[BOOKING_REFERRAL] == "abc-123"


def test_the_next_visit_comes_from_nowhere(client, ada, service, schedule):
    client.force_login(ada.user)
    pressed(client, client.get(link(service, schedule, **TOLD)))
    client.post(reverse("portal:confirm", args=[Appointment.objects.get().fhir_id]))
    pressed(client, client.get(link(service, schedule, monday(14))))
    assert came_from(Appointment.objects.get(status="pending")) == {}


def test_a_time_that_is_gone_has_its_nearest_alternatives(client, service, schedule):
    SlotFactory(schedule=schedule, start=monday(10))
    page = client.get(link(service, schedule))
    assert page.status_code == 409
    assert "no longer free" in page.text
    nearest = {choice.start for choice in page.context["alternatives"]}
    assert nearest == {monday(9, 15), monday(9, 30), monday(10, 30)}


def test_a_time_that_has_passed_says_so(client, service, schedule):
    page = client.get(link(service, schedule, timezone.now() - timedelta(days=1)))
    assert page.status_code == 409
    assert "That time has passed." in page.text


def test_a_room_that_was_taken_since_is_replaced_by_another(client, chen, site):
    service = ServiceFactory(requires=["Practitioner", "Location"])
    person = ScheduleFactory(actor=chen, services=[service], site=site)
    first, second = (ScheduleFactory(actor=RoomFactory(part_of=site), services=[service], site=site) for _ in "12")
    SlotFactory(schedule=first, start=monday(10))

    pressed(client, client.get(link(service, person)))

    taken = Slot.objects.filter(appointment=Appointment.objects.get())
    assert {slot.schedule for slot in taken} == {person, second}


@pytest.mark.parametrize("time", ["", "tomorrow", "2026-13-01T10:00:00Z~x", "2026-01-01T10:00:00Z"])
def test_a_link_that_names_no_time_leads_to_the_times(client, service, schedule, time):
    page = client.get(reverse("portal:deep-link", args=[service.fhir_id]), {"time": time})
    assert page.status_code == 302
    assert page["Location"] == reverse("portal:choose-time", args=[service.fhir_id])


def test_a_schedule_that_does_not_give_the_visit_has_none_of_its_times(client, service, schedule):
    page = client.get(link(service, ScheduleFactory()))
    assert page.status_code == 409


def test_a_service_for_staff_has_no_page(client, service, schedule):
    service.bookable_by = "staff"
    service.save()
    assert client.get(link(service, schedule)).status_code == 404


def test_a_word_that_cannot_be_stored_is_left_out_and_a_long_one_is_cut(client, service, schedule):
    pressed(client, client.get(link(service, schedule, source="a%00" + "b" * 1000)))
    assert came_from(Appointment.objects.get()) == {BOOKING_SOURCE: "a" + "b" * 499}


def test_the_page_takes_a_constant_number_of_statements(client, service, schedule, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        client.get(link(service, schedule))
