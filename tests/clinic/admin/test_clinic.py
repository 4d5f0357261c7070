"""The administration of the clinic: its places, services, calendars and accounts."""

from datetime import timedelta

import pytest

from clinic import service_types
from clinic.models import HealthcareService, Location, Patient, Practitioner, Schedule, ServiceType, User
from tests.clinic.admin.pages import errors, inline, url
from tests.factories import (
    NEW_YORK,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
)

SERVICE = {
    "name": "Check-up",
    "bookable_by": "patients",
    "eligibility": "everyone",
    "minimum_notice": "0",
    "cancellation_notice": "0",
    "check_in_after": "00:15:00",
    "late_refund": "0",
    "course_weeks": "1",
    "course_days": "1",
    "waitlist_order": "longest",
}


def test_saving_is_the_next_version(desk):
    site = LocationFactory()

    response = desk.post(
        url(Location, "change", site.pk), {"status": "active", "name": "Main Street", "timezone": NEW_YORK}
    )

    assert response.status_code == 302
    before, site = site.last_updated, Location.objects.get()
    assert (site.name, site.version) == ("Main Street", 2)
    assert site.last_updated > before


def test_a_deleted_resource_answers_410(desk):
    patient = PatientFactory()

    desk.post(url(Patient, "delete", patient.pk), {"post": "yes"})

    patient.refresh_from_db()
    assert patient.deleted_at is not None
    assert patient.version == 2
    assert desk.get(url(Patient, "change", patient.pk)).status_code == 302


def test_a_row_that_others_refer_to_cannot_be_deleted(desk):
    role = RoleFactory()

    response = desk.get(url(Practitioner, "delete", role.practitioner.pk))

    assert "Cannot delete practitioner" in response.content.decode()


def test_a_zone_that_does_not_exist_is_refused_beside_its_field(desk):
    data = SERVICE
    parameters = inline("scheduling_parameters", duration="30", timezone="America/New_Yorck")

    response = desk.post(url(HealthcareService, "add"), data | parameters)

    assert response.status_code == 200
    [form] = response.context["inline_admin_formsets"][0].formset.forms
    assert "is not a time zone" in form.errors["timezone"][0]
    assert not HealthcareService.objects.exists()


def test_a_service_is_made_with_its_hours(desk):
    data = SERVICE | {
        "active": "on",
        "requires": ["Practitioner", "Device"],
        "eligibility": "new",
        "reminders": "2 hours, 1 week",
        "minimum_notice": "01:00:00",
        "cancellation_notice": "1 00:00:00",
    }
    hours = "mon-fri 09:00-17:00\nsat all day"
    parameters = inline("scheduling_parameters", duration="30", availability=hours, not_available="2026-12-25: Closed")

    response = desk.post(url(HealthcareService, "add"), data | parameters)

    assert response.status_code == 302, errors(response)
    service = HealthcareService.objects.get()
    general = service.scheduling_parameters.get()
    assert service.requires == ["Practitioner", "Device"]
    assert (service.eligibility, service.reminders) == ("new", [timedelta(days=7), timedelta(hours=2)])
    assert general.schedule is None
    assert [window["daysOfWeek"] for window in general.availability] == [
        ["mon", "tue", "wed", "thu", "fri"],
        ["sat"],
    ]
    assert general.not_available == [{"description": "Closed", "during": {"start": "2026-12-25", "end": "2026-12-25"}}]


@pytest.mark.parametrize(
    ("written", "reminders"),
    [("", [timedelta(days=2), timedelta(hours=2)]), ("none", []), ("1 hour", [timedelta(hours=1)])],
)
def test_a_service_reminds_as_usual_unless_it_says_otherwise(desk, written, reminders):
    form = desk.get(url(HealthcareService, "add")).context["adminform"].form
    assert form["reminders"].value() == "2 days, 2 hours"

    response = desk.post(
        url(HealthcareService, "add"), SERVICE | {"reminders": written} | inline("scheduling_parameters")
    )

    assert response.status_code == 302, errors(response)
    assert HealthcareService.objects.get().reminders == reminders


def test_two_schedules_of_one_practitioner_share_their_time(desk):
    role = RoleFactory()
    extra = inline("scheduling_parameters")

    for actor in ({"practitioner": role.practitioner.pk}, {"practitioner_role": role.pk}):
        response = desk.post(url(Schedule, "add"), {"active": "on"} | actor | extra)
        assert response.status_code == 302, errors(response)

    first, second = Schedule.objects.order_by("pk")
    assert first.bookable == second.bookable
    assert second.actor == role


def test_a_rooms_schedule_is_at_the_rooms_site(desk):
    room = RoomFactory()

    desk.post(url(Schedule, "add"), {"active": "on", "location": room.pk} | inline("scheduling_parameters"))

    assert Schedule.objects.get().site == room.part_of


def test_a_schedule_is_of_exactly_one_actor(desk):
    practitioner, room = PractitionerFactory(), RoomFactory()
    extra = inline("scheduling_parameters")

    for actors in ({}, {"practitioner": practitioner.pk, "location": room.pk}):
        response = desk.post(url(Schedule, "add"), {"active": "on"} | actors | extra)
        assert "Choose whose time it is" in response.context["adminform"].form.errors["practitioner"][0]

    assert not Schedule.objects.exists()


@pytest.mark.parametrize("model", [Patient, Practitioner])
@pytest.mark.parametrize(
    ("language", "text"), [("en", "Enter a given name or a family name."), ("es", "Escriba un nombre o un apellido.")]
)
def test_a_person_without_any_name_is_refused_beside_the_name(desk, model, language, text):
    extra = inline("roles") if model is Practitioner else inline("related_persons") | inline("message_preferences")
    response = desk.post(url(model, "add"), {"active": "on"} | extra, headers={"Accept-Language": language})

    assert response.context["adminform"].form.errors == {"family": [text]}
    assert not model.objects.exists()


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ("The maximum age is below the minimum age.", "Write it as days hours:minutes", "is not on the list")),
        ("es", ("La edad máxima es menor que la mínima.", "Escríbalo como días horas:minutos", "no está en la lista")),
    ],
)
def test_errors_of_a_service_are_shown_beside_their_fields(desk, language, texts):
    data = {
        "active": "on",
        "name": "Knee",
        "minimum_age": 50,
        "maximum_age": 10,
        "minimum_notice": "soon",
        "type": "X-ra",
    }
    extra = inline("scheduling_parameters")

    response = desk.post(url(HealthcareService, "add"), data | extra, headers={"Accept-Language": language})

    found = response.context["adminform"].form.errors
    for field, text in zip(("maximum_age", "minimum_notice", "type"), texts, strict=True):
        assert text in found[field][0]
    assert "__all__" not in found


def test_service_types_are_chosen_by_name_and_those_of_other_systems_stay(desk):
    foreign = {"coding": [{"system": "https://codes.example", "code": "7"}], "text": "Of another system"}
    service = ServiceFactory(name="Knee", type=[foreign])
    address, extra = url(HealthcareService, "change", service.pk), inline("scheduling_parameters")

    chosen = {"type": ["Of another system", "Skin"], "own_type": "Home visit"}
    response = desk.post(address, SERVICE | {"name": "Knee"} | chosen | extra)

    assert response.status_code == 302, errors(response)
    service.refresh_from_db()
    assert service_types.names_of(service.type) == ["Of another system", "Skin", "Home visit"]
    assert service.type[0] == foreign
    assert ServiceType.objects.get().code == "home-visit"


def test_a_price_is_typed_in_the_clinics_currency(desk):
    data = SERVICE | {"name": "Knee", "pricing": "range", "price": "40", "price_to": ""}
    extra = inline("scheduling_parameters")

    response = desk.post(url(HealthcareService, "add"), data | extra)
    assert "A fixed price has one amount" in response.context["adminform"].form.errors["__all__"][0]
    response = desk.post(url(HealthcareService, "add"), data | extra | {"price_to": "99.505"})
    assert "price_to" in response.context["adminform"].form.errors
    response = desk.post(url(HealthcareService, "add"), data | extra | {"price_to": "99.50"})
    assert response.status_code == 302, errors(response)

    service = HealthcareService.objects.get(name="Knee")
    assert (service.price, service.price_to) == (4000, 9950)
    page = desk.get(url(HealthcareService, "change", service.pk))
    assert 'value="99.50"' in page.content.decode()


def test_a_user_is_made_with_an_e_mail_address(desk):
    password = "a-long-and-odd-password"
    data = {"email": "new@example.com", "usable_password": "true", "password1": password, "password2": password}

    response = desk.post(url(User, "add"), data)

    assert response.status_code == 302, errors(response)
    assert User.objects.get(email="new@example.com").check_password(password)


def test_details_that_a_line_does_not_hold_stay_if_it_is_unchanged(desk):
    schedule = ScheduleFactory()
    window = {"daysOfWeek": ["mon"], "allDay": True, "extension": [{"url": "https://example.org/x", "valueCode": "y"}]}
    own = schedule.scheduling_parameters.create(service=schedule.services.get(), availability=[window])
    prefix = "scheduling_parameters"
    data = {
        "active": "on",
        "comment": "Changed",
        f"{prefix}-TOTAL_FORMS": "1",
        f"{prefix}-INITIAL_FORMS": "1",
        f"{prefix}-0-id": own.pk,
        f"{prefix}-0-schedule": schedule.pk,
        f"{prefix}-0-service": own.service.pk,
        f"{prefix}-0-duration": "45",
        f"{prefix}-0-availability": "mon all day",
    }

    response = desk.post(url(Schedule, "change", schedule.pk), data)

    assert response.status_code == 302, errors(response)
    own.refresh_from_db()
    assert (own.duration, own.availability) == (45, [window])


def test_half_a_position_is_refused_beside_its_field(desk):
    data = {"status": "active", "name": "Main Street", "timezone": NEW_YORK, "latitude": "40.7"}

    response = desk.post(url(Location, "add"), data)

    assert errors(response) == ["Give both the latitude and the longitude, or neither."]


def test_help_says_what_an_empty_field_means_on_the_service_and_on_a_schedule(desk):
    service, schedule = ServiceFactory(), ScheduleFactory()
    of_service = desk.get(url(HealthcareService, "change", service.pk)).content.decode()
    of_schedule = desk.get(url(Schedule, "change", schedule.pk)).content.decode()

    assert "Empty: no usual hours, except on schedules that have their own." in of_service
    assert "Minutes from one start to the next; empty: 60." in of_service
    assert "as the service says" not in of_service
    assert "Minutes from one start to the next. Empty: as the service says." in of_schedule
    assert "empty: 60" not in of_schedule
