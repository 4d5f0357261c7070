"""A visit like another one: the same patient, service and calendar, a whole number of weeks later."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains

from clinic.models import Appointment
from tests.factories import AppointmentFactory, ScheduleFactory

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/staff/visits/new/"
DIALOG = {"HX-Request": "true"}


@pytest.fixture
def visit(schedule, checkup, site, ten, ada):
    end = ten + timedelta(minutes=30)
    return AppointmentFactory(patient=ada, service=checkup, start=ten, end=end, schedules=[schedule], site=site)


def test_its_card_and_page_lead_to_the_form_with_everything_filled_in(as_rana, visit, schedule, checkup, ten, site):
    ScheduleFactory(services=[checkup], site=site)  # the visit's calendar is chosen, not the first
    address = f"{NEW}?like={visit.fhir_id}"
    assertContains(as_rana.get(f"/staff/visits/{visit.fhir_id}/", headers=DIALOG), address)
    assertContains(as_rana.get(f"/staff/appointments/{visit.fhir_id}/"), address)
    context = as_rana.get(address, headers=DIALOG).context
    week_later = (ten.replace(tzinfo=None) + timedelta(weeks=1)).replace(tzinfo=ten.tzinfo)
    assert (context["patient"], context["schedule"], context["start"]) == (visit.patient, schedule, week_later)
    assert context["form"]["service"].value() == checkup.fhir_id
    assert context["free"]


def test_it_is_booked_beside_the_first(as_rana, visit, schedule, checkup, ten, ada):
    later = ten + timedelta(weeks=1)
    posted = {
        "calendar": schedule.fhir_id,
        "service": checkup.fhir_id,
        "patient": ada.fhir_id,
        "date": later.date().isoformat(),
        "time": f"{later:%H:%M}",
    }
    assert as_rana.post(f"{NEW}?like={visit.fhir_id}", posted, headers=DIALOG).status_code == 204
    assert Appointment.objects.filter(patient=ada, status="booked").count() == 2


def test_a_visit_of_long_ago_is_proposed_again_in_the_coming_week(as_rana, visit, ten):
    long_ago = ten - timedelta(weeks=30)
    Appointment.objects.filter(pk=visit.pk).update(start=long_ago, end=long_ago + timedelta(minutes=30))
    start = as_rana.get(f"{NEW}?like={visit.fhir_id}", headers=DIALOG).context["start"]
    assert timezone.now() < start <= timezone.now() + timedelta(days=8)
    assert start.weekday() == ten.weekday()


def test_the_visit_of_another_site_is_not_there(as_rana, checkup, ten):
    elsewhere = AppointmentFactory(
        service=checkup, start=ten, end=ten + timedelta(minutes=30), schedules=[ScheduleFactory(services=[checkup])]
    )
    assert as_rana.get(f"{NEW}?like={elsewhere.fhir_id}").status_code == 404
