"""The checklist: the first free time of each service, or its problems."""

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Location
from tests.factories import EVERY_DAY, PractitionerFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db
CHECKLIST = "/staff/checklist/"


@pytest.fixture
def whole(site):
    Location.objects.filter(pk=site.pk).update(line="1 Main Street", city="New York")


def test_it_names_what_cannot_be_booked_first(client, alex, schedule, site, whole):
    client.force_login(alex)  # who may open Administration
    idle = ServiceFactory(name="Acupuncture", hours=None)
    ScheduleFactory(services=[idle], site=site)
    ServiceFactory(name="Retired", active=False)

    page = client.get(CHECKLIST)

    assert [entry.name for entry in page.context["entries"]] == ["Acupuncture", "Check-up"]
    assertContains(page, "1 service cannot be booked.")
    assertContains(page, "No hours are set. Enter weekly hours.")
    mended_at = reverse("portal:hours-edit", args=[idle.fhir_id])
    assertContains(page, f'<a href="{mended_at}">Open Acupuncture</a>', html=True)
    assertContains(page, f"first free time {page.context['entries'][1].first}")
    assert page.context["entries"][1].first.endswith("(New York time)")


def test_it_says_that_all_is_well(as_administrator, schedule, whole):
    page = as_administrator.get(CHECKLIST)
    assertContains(page, "Every active service can be booked.")
    assertContains(as_administrator.get("/staff/hours/"), CHECKLIST)


def test_a_clinic_without_services_is_led_to_the_first(as_administrator):
    assertContains(as_administrator.get(CHECKLIST), reverse("portal:setup-services"))


def test_it_is_for_administrators(as_chen, schedule):
    assert as_chen.get(CHECKLIST).status_code == 403
    assertNotContains(as_chen.get("/staff/hours/"), CHECKLIST)


def test_many_services_ask_as_much_as_one(as_administrator, schedule, site, django_assert_num_queries):
    ScheduleFactory(services=[ServiceFactory(hours=None), ServiceFactory(duration=None)], site=site)
    as_administrator.get(CHECKLIST)
    with django_assert_num_queries(14):
        as_administrator.get(CHECKLIST)
    for _ in range(4):
        ScheduleFactory(services=[ServiceFactory(hours=EVERY_DAY), ServiceFactory(duration=None)], site=site)
    with django_assert_num_queries(14):
        as_administrator.get(CHECKLIST)


def test_the_hours_of_a_calendar_say_the_same(as_administrator, as_chen, schedule, checkup, editor, whole):
    checkup.scheduling_parameters.update(alignment_interval=60)
    assertContains(as_chen.get(editor), "Half of the time cannot be booked")
    assertNotContains(as_chen.get(editor), "It cannot be booked at present.")

    checkup.scheduling_parameters.update(availability=None)
    page = as_chen.get(editor)
    assertContains(page, "It cannot be booked at present.")
    assertContains(page, "No hours are set. Enter weekly hours.")
    assertNotContains(page, reverse("admin:clinic_healthcareservice_change", args=[checkup.pk]))


def test_a_calendar_that_cannot_give_it_says_so_where_another_can(as_administrator, schedule, checkup, site, whole):
    park = PractitionerFactory(given="Jo", family="Park", active=False)
    gone = ScheduleFactory(actor=park, services=[checkup])
    page = as_administrator.get(f"/staff/hours/calendars/{gone.fhir_id}/{checkup.fhir_id}/")
    assertContains(page, "Dr. Jo Park: The practitioner is inactive. Make the record active.")
    general = as_administrator.get(f"/staff/hours/services/{checkup.fhir_id}/")
    assertNotContains(general, "The practitioner is inactive")
