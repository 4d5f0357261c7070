"""Service types chosen by name in the set-up, and shown wherever the service is."""

import csv
import io
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from clinic import service_types
from clinic.fhir.codes import SERVICE_TYPE
from clinic.models import HealthcareService, ServiceType
from tests.api.conftest import Api
from tests.factories import NEW_YORK, AppointmentFactory, LocationFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db(transaction=True)

FOREIGN = {"coding": [{"system": "https://codes.example", "code": "7"}], "text": "Of another system"}
SERVICE = {
    "version": "1",
    "name": "Knee",
    "duration": "20",
    "requires": "Practitioner",
    "bookable_by": "patients",
    "active": "on",
}
NEW = SERVICE | {"days": ["mon"], "opens": "09:00", "closes": "17:00"}


def page(name, *ids):
    return reverse(f"portal:{name}", args=ids)


def text_of(response):
    return unescape(response.content.decode())


def send(client, address, data):
    return text_of(client.post(address, data, follow=True))


@pytest.fixture
def knee():
    return ServiceFactory(name="Knee", type=[FOREIGN], duration=20)


def test_they_are_chosen_by_name(client, as_administrator):
    send(client, page("setup-service-new"), NEW | {"type": ["physical therapy", "Massage Therapy", ""]})

    knee = HealthcareService.objects.get()
    assert knee.type == [service_types.x12_type("PT"), service_types.x12_type("BE")]
    assert "Physical Therapy, Massage Therapy" in text_of(client.get(page("setup-services")))
    text = text_of(client.get(page("setup-service", knee.fhir_id)))
    assert 'value="Physical Therapy"' in text
    assert '<option value="Dermatology">' in text


def test_a_wrong_name_is_refused_with_the_one_that_was_meant_and_kept_as_typed(client, as_administrator):
    text = send(client, page("setup-service-new"), NEW | {"type": ["Dermatolgy", "Knee things"]})

    assert "“Dermatolgy” is not on the list. Did you mean “Dermatology”?" in text
    assert "“Knee things” is not on the list." in text
    assert 'value="Dermatolgy"' in text
    assert 'value="Knee things"' in text
    assert not HealthcareService.objects.exists()


def test_those_of_other_systems_stay_as_they_are(client, as_administrator, knee):
    address = page("setup-service", knee.fhir_id)
    assert 'value="Of another system"' in text_of(client.get(address))

    send(client, address, SERVICE | {"type": ["Of another system", "Skin"]})

    knee.refresh_from_db()
    assert knee.type == [FOREIGN, service_types.x12_type("BJ")]


def test_ones_own_is_named_once_and_told_to_software(client, as_administrator, knee):
    send(client, page("setup-service", knee.fhir_id), SERVICE | {"type": [], "own_type": " Home visit "})

    coding = {"system": SERVICE_TYPE, "code": "home-visit", "display": "Home visit"}
    knee.refresh_from_db()
    assert knee.type == [{"coding": [coding], "text": "Home visit"}]
    assert '<option value="Home visit">' in text_of(client.get(page("setup-service-new")))
    anybody = Api()
    definition = anybody.get("CodeSystem/service-type").fhir
    assert definition["concept"] == [{"code": "home-visit", "display": "Home visit"}]
    assert definition["content"] == "complete"


def test_templates_come_with_their_types(client, as_administrator):
    send(client, page("setup-services"), NEW | {"kind": "gp", "templates": ["gp-vaccination"]})
    assert HealthcareService.objects.get().type == [service_types.x12_type("80")]


def test_staff_see_them_on_calendars_visits_hours_and_in_files(client, as_administrator, knee):
    HealthcareService.objects.update(type=[service_types.x12_type("PT")])
    schedule = ScheduleFactory(services=[knee])
    visit = AppointmentFactory(service=knee, schedules=[schedule])

    assert "Knee (Physical Therapy)" in text_of(client.get(page("setup-calendar", schedule.fhir_id)))
    assert "Physical Therapy" in text_of(client.get(page("staff-visit", visit.fhir_id)))
    assert "Service type: Physical Therapy" in text_of(client.get(page("hours-settings", knee.fhir_id)))
    file = client.get(page("report-free-times-file")).getvalue().decode("utf-8-sig").splitlines()
    assert file[0].startswith("Service,Service type,")
    assert file[1].startswith("Knee,Physical Therapy,")
    in_spanish = client.get(page("staff-visit", visit.fhir_id), headers={"Accept-Language": "es"})
    assert "Fisioterapia" in text_of(in_spanish)


def test_ones_own_is_renamed_in_all_services(client, as_administrator, knee):
    own = service_types.with_type([], "Home visit")
    other = {**own[0], "text": "In another system's words"}
    HealthcareService.objects.filter(pk=knee.pk).update(type=[FOREIGN, *own, other])
    row = ServiceType.objects.get()

    text = send(client, page("setup-type", row.pk), {"name": "Visit at home"})

    knee.refresh_from_db()
    coding = {"system": SERVICE_TYPE, "code": "home-visit", "display": "Visit at home"}
    assert knee.type == [FOREIGN, {"coding": [coding], "text": "Visit at home"}, {**other, "coding": [coding]}]
    assert knee.version == 2
    assert "Visit at home" in text


@pytest.mark.parametrize("name", ["Dermatology", "dermatology", "house call"])
def test_a_name_that_exists_is_refused(client, as_administrator, name):
    ServiceType.objects.create(code="call", name="House call")
    row = ServiceType.objects.create(code="home", name="Home visit")

    text = send(client, page("setup-type", row.pk), {"name": name})

    assert "There is a service type with this name already." in text
    assert f'value="{name}"' in text
    assert ServiceType.objects.get(pk=row.pk).name == "Home visit"


def test_ones_own_is_removed_if_no_service_has_it(client, as_administrator, knee):
    assert "No service type of your own" in text_of(client.get(page("setup-types")))
    HealthcareService.objects.update(type=service_types.with_type([], "Home visit"))
    row = ServiceType.objects.get()

    assert "These visits have this type: Knee." in send(client, page("setup-type-remove", row.pk), {})
    HealthcareService.objects.update(type=[])
    assert "No visit has this type" in text_of(client.get(page("setup-types")))
    assert "Removed." in send(client, page("setup-type-remove", row.pk), {})
    assert not ServiceType.objects.exists()
    assert client.post(page("setup-type-remove", row.pk)).status_code == 404


def test_the_page_costs_the_same_however_many_there_are(client, as_administrator, knee, django_assert_max_num_queries):
    HealthcareService.objects.update(type=service_types.with_type([], "Home visit"))
    client.get(page("setup-types"))
    with django_assert_max_num_queries(30) as few:
        client.get(page("setup-types"))
    for number in range(4):
        ServiceFactory(type=service_types.with_type([], f"Type {number}"))
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(page("setup-types"))


def test_files_of_visits_and_hours_have_them(client, as_administrator, knee):
    HealthcareService.objects.update(type=[service_types.x12_type("PT")])
    site = LocationFactory(timezone=NEW_YORK)
    visit = AppointmentFactory(service=knee, site=site, schedules=[ScheduleFactory(services=[knee], site=site)])
    start = visit.start.astimezone(ZoneInfo(NEW_YORK))
    board = client.get(page("board"), {"date": f"{start:%Y-%m-%d}", "download": "csv"})
    hours = client.get(page("hours"), {"download": "csv"})

    for answer in (board, hours):
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
        assert {row["Service type"] for row in rows} == {"Physical Therapy"}
