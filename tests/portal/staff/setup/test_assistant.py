"""The set-up, step by step: opened at the first sign-in, left and taken up again, with nothing lost or overwritten."""

from html import unescape

import pytest
from django.urls import reverse

from clinic.fhir.codes import LANGUAGE
from clinic.models import Device, HealthcareService, Location, Practitioner, Schedule
from tests.factories import (
    LocationFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    RoleFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
SITE = {
    "version": "1",
    "name": "Riverside",
    "line": "1 Main Street",
    "city": "New York",
    "timezone": "America/New_York",
}
HOURS = {"days": ["mon", "tue"], "opens": "09:00", "closes": "17:00"}


def page(name, *ids):
    return reverse(f"portal:{name}", args=ids)


def text_of(response):
    return unescape(response.content.decode())


def send(client, address, data, *, status=200):
    """Post a form, follow its redirect, and return the text of the page."""
    response = client.post(address, data, follow=True)
    assert response.status_code == status
    return text_of(response)


def test_it_opens_by_itself_at_the_first_sign_in_of_a_manager(client, as_administrator):
    assert client.get("/start/").url == page("setup")
    assert "It takes about ten minutes" in text_of(client.get(page("setup")))

    LocationFactory()
    assert client.get("/start/").url == page("day")


def test_other_staff_of_an_empty_clinic_are_not_sent_there(client):
    client.force_login(PractitionerFactory(user=UserFactory()).user)
    assert client.get("/start/").url == page("day")


def test_from_nothing_to_a_bookable_time(client, as_administrator):
    assert "Add a site first" in text_of(client.get(page("setup-people")))
    text = send(client, page("setup-sites"), SITE)
    assert "1 Main Street, New York" in text
    assert "Continue: People" in text_of(client.get(page("setup")))
    site = Location.objects.get()
    text = send(client, page("setup-people"), {"version": "1", "given": "Mei", "family": "Chen", "sites": site.pk})
    assert "Mei Chen" in text
    send(client, page("setup-rooms"), {"version": "1", "kind": "device", "name": "Scanner", "site": site.pk})
    assert Device.objects.get().location == site
    text = send(client, page("setup-services"), {"kind": "gp", "templates": ["gp-long"], **HOURS})
    assert "Added: Long consultation." in text

    text = text_of(client.get(page("setup-preview")))

    assert "first free time" in text
    assert "Choose a day" in text or 'class="time' in text
    assert HealthcareService.objects.get().name in text
    assert "Every visit can be booked." in text_of(client.get(page("setup")))


def test_what_was_typed_survives_an_error_and_a_change_of_language(client, as_administrator):
    text = send(client, page("setup-sites"), {**SITE, "name": "", "city": "Albany"})
    assert "Enter the name of the site." in text
    assert 'value="Albany"' in text

    wrong = {"kind": "gp", "templates": ["gp-long", "gp-blood"], **HOURS, "days": ["sat", "sun"], "closes": "08:00"}
    text = send(client, page("setup-services") + "?kind=gp", wrong)
    assert "The end is before the beginning." in text
    ticked = {part.partition('"')[0] for part in text.split('value="') if "checked" in part.partition(">")[0]}
    assert ticked == {"gp-long", "gp-blood", "sat", "sun"}

    client.post(page("setup-sites"), {**SITE, "name": "Hillside", "read-in": "es"})
    text = text_of(client.get(page("setup-sites")))
    assert 'value="Hillside"' in text
    assert 'lang="es"' in text
    assert not Location.objects.exists()


def test_two_managers_see_each_others_change_before_it_is_replaced(client, as_administrator):
    site = LocationFactory(name="Riverside", phone="", timezone="America/New_York")
    address = page("setup-site", site.fhir_id)
    mine = {**SITE, "name": "Hillside", "status": "active", "version": str(site.version)}
    send(client, address, {**mine, "name": "Lakeside"})

    response = client.post(address, mine)

    text = text_of(response)
    assert response.status_code == 409
    assert "Someone else has changed this in the meantime" in text
    assert "Name of the site: Lakeside" in text
    assert 'value="Hillside"' in text
    assert Location.objects.get().name == "Lakeside"
    version = Location.objects.get().version
    assert f'name="version" value="{version}"' in text
    send(client, address, {**mine, "version": str(version)})
    assert Location.objects.get().name == "Hillside"


def test_a_visit_of_ones_own_with_its_week(client, as_administrator):
    site = LocationFactory()
    ScheduleFactory(actor=PractitionerFactory(), site=site, services=[], offers_all_services=True)
    new = {"version": "1", "name": "Acupuncture", "duration": "40", "requires": ["Practitioner"], **HOURS}

    text = send(client, page("setup-service-new"), {**new, "bookable_by": "patients"})

    assert "Acupuncture" in text
    service = HealthcareService.objects.get()
    [own] = service.scheduling_parameters.all()
    assert (own.duration, own.alignment_interval) == (40, 20)
    assert own.availability == [
        {"daysOfWeek": ["mon", "tue"], "availableStartTime": "09:00:00", "availableEndTime": "17:00:00"}
    ]
    assert "first free time" in text_of(client.get(page("setup-preview")))


def test_a_service_calendar_person_room_and_device_are_changed(client, as_administrator):
    site = LocationFactory(name="Riverside")
    person, service = PractitionerFactory(family="Chen"), ServiceFactory(name="Check-up", duration=30)
    schedule = ScheduleFactory(actor=person, services=[service], site=site)
    other = ServiceFactory(name="Massage")
    room = LocationFactory(name="Room 1", part_of=site)
    device = Device.objects.create(name="Scanner", location=site, last_updated=site.last_updated)
    changed = {"version": "1", "active": "on", "duration": "20", "requires": "Practitioner", "bookable_by": "staff"}

    send(client, page("setup-service", service.fhir_id), {**changed, "name": "Health check"})
    send(
        client,
        page("setup-person", person.fhir_id),
        {"version": "1", "family": "Chan", "active": "on", "sites": site.pk},
    )
    send(
        client, page("setup-room", room.fhir_id), {"version": "1", "name": "Room 2", "site": site.pk, "is_active": "on"}
    )
    send(client, page("setup-device", device.fhir_id), {"version": "1", "name": "Scanner", "site": site.pk})
    chosen = {"version": "1", "offers_all_services": "False", "services": [other.pk], "active": "on"}
    send(client, page("setup-calendar", schedule.fhir_id), chosen)
    send(
        client,
        page("setup-week", schedule.fhir_id),
        {"version": "2", "whose": "own", **HOURS, "break_begins": "12:00", "break_ends": "13:00"},
    )

    service.refresh_from_db()
    assert (service.name, service.bookable_by, service.scheduling_parameters.get(schedule=None).duration) == (
        "Health check",
        "staff",
        20,
    )
    assert Practitioner.objects.get().family == "Chan"
    assert Location.objects.get(part_of=site).name == "Room 2"
    assert Device.objects.get().status == "inactive"
    schedule.refresh_from_db()
    assert list(schedule.services.all()) == [other]
    own = schedule.scheduling_parameters.get(service=other)
    assert [window["availableStartTime"] for window in own.availability] == ["09:00:00", "13:00:00"]
    text = text_of(client.get(page("setup-week", schedule.fhir_id)))
    assert 'value="12:00"' in text
    assert 'value="13:00"' in text
    assert "Monday" in text_of(client.get(page("setup-hours")))


def test_each_problem_leads_to_the_page_that_mends_it(client, as_administrator):
    site = LocationFactory(name="Riverside", phone="", line="1 Main Street", city="New York")
    without_hours, without_calendar = ServiceFactory(name="A", hours=None), ServiceFactory(name="B")
    without_length = ServiceFactory(name="C", duration=None)
    unasked = ServiceFactory(name="D", requires_questionnaires=True)
    unasked.questionnaires.add(QuestionnaireFactory(title="Intake", status="draft"))
    closed = ServiceFactory(name="E")
    calendar = ScheduleFactory(services=[without_hours, without_length, unasked], site=site)
    inactive = ScheduleFactory(services=[closed], site=site, active=False)

    text = text_of(client.get(page("checklist")))

    for address in (
        page("setup-site", site.fhir_id),
        page("hours-edit", without_hours.fhir_id),
        page("setup-people"),
        page("setup-service", without_length.fhir_id),
        page("setup-calendar", inactive.fhir_id),
    ):
        assert f'href="{address}">Open' in text
    assert Schedule.objects.get(pk=calendar.pk).active
    assert without_calendar.name in text


def test_the_pages_need_a_constant_number_of_statements(client, as_administrator, django_assert_max_num_queries):
    site = LocationFactory()
    services = [ServiceFactory() for _ in range(3)]
    for _ in range(3):
        ScheduleFactory(actor=PractitionerFactory(), services=services, site=site)
        LocationFactory(part_of=site)
    for name in ("setup-sites", "setup-people", "setup-rooms", "setup-services", "setup-hours", "setup-messages"):
        with django_assert_max_num_queries(16):
            client.get(page(name))
    with django_assert_max_num_queries(24):
        client.get(page("setup"))


def test_languages_and_specialties_of_a_person_are_chosen_by_name(client, as_administrator):
    site = LocationFactory()
    person = PractitionerFactory(family="Chen")
    others = RoleFactory(practitioner=person, specialty=[{"text": "Sports"}])
    address = page("setup-person", person.fhir_id)
    data = {"version": "1", "family": "Chen", "active": "on", "sites": site.pk, "communication": ["german"]}

    send(client, address, data | {"specialties": ["Sports", "Cardiology"]})

    person.refresh_from_db()
    others.refresh_from_db()
    assert person.communication == [{"coding": [{"system": LANGUAGE, "code": "de"}]}]
    assert [concept["text"] for concept in others.specialty] == ["Sports", "Cardiology"]
    assert 'value="German"' in text_of(client.get(address))
    send(client, address, data | {"version": "2", "specialties": ["Cardiology"]})
    others.refresh_from_db()
    assert [concept["text"] for concept in others.specialty] == ["Cardiology"]


def test_a_person_without_a_role_gets_one_for_their_specialties(client, as_administrator):
    person = PractitionerFactory(family="Chen")
    data = {"version": "1", "family": "Chen", "active": "on"}
    address = page("setup-person", person.fhir_id)

    send(client, address, data)
    assert not person.roles.exists()
    send(client, address, data | {"version": "2", "specialties": ["Cardiology"]})
    [role] = person.roles.all()
    assert role.specialty[0]["coding"][0]["code"] == "394579002"
