"""`manage.py seed_demo`: a clinic that is open, whenever it is made."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings
from django.utils import timezone
from fhir.resources.R4B import get_fhir_model_class
from oauth2_provider.models import get_application_model

from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import Appointment, HealthcareService, Patient, Practitioner, Slot, User
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.availability import FoundTime, TimeQuery, as_datetime
from scheduling.booking import BookingRequest
from scheduling.errors import TimeNotOffered, TimeTaken
from scheduling.management import demo_people
from scheduling.management.demo_rows import DemoRows
from scheduling.management.demo_visits import DemoVisits

NEW_YORK = ZoneInfo("America/New_York")
SYSTEM = Caller(client="demo-system", scopes=("system/*.cruds",))


def seed() -> str:
    said = StringIO()
    call_command("seed_demo", stdout=said)
    return said.getvalue()


def times(service: HealthcareService, now: datetime, practitioner: str | None = None) -> list[FoundTime]:
    who = Practitioner.objects.get(fhir_id=practitioner).pk if practitioner else None
    ways = availability.arrangements_for(service, practitioner=who)
    query = TimeQuery(service=service, arrangements=ways, start=now, end=now + timedelta(days=14))
    return availability.find_times(query, now=now)


def book(service: HealthcareService, found: FoundTime, patient: Patient) -> Appointment:
    start = as_datetime(found.start)
    request = BookingRequest(service=service, offerings=found.offerings, start=start, patient=patient)
    return booking.book(request, caller=SYSTEM, now=timezone.now())


class TestTheDemo(TestCase):
    """Made once for all of these."""

    @classmethod
    def setUpTestData(cls) -> None:
        with override_settings(DEBUG=True):
            cls.said = seed()

    def test_one_line_says_what_was_made(self):
        assert self.said.startswith("Made the demo clinic: 2 sites, 6 services")
        assert self.said.count("\n") == 1

    def test_making_it_again_changes_nothing_and_costs_one_query(self):
        with override_settings(DEBUG=True), self.assertNumQueries(1):
            assert seed() == "The demo clinic is there already.\n"

    def test_everybody_signs_in_with_the_demos_password(self):
        users = {user.email: user for user in User.objects.all()}

        assert set(users) == {email for email, *_ in demo_people.USERS}
        assert all(user.is_demo and user.check_password("clinic-demo") for user in users.values())
        assert users["ada@example.com"].patient.fhir_id == "ada"
        assert users["chen@example.com"].practitioner.fhir_id == "chen"
        assert [each.fhir_id for each in users["rana@example.com"].desk_locations.all()] == ["nyc"]
        assert users["admin@example.com"].is_superuser

    def test_software_signs_in_with_the_plain_secret_and_belongs_to_the_demo(self):
        application = get_application_model().objects.get(client_id="demo-system")

        assert check_password("demo-system-secret", application.client_secret)
        assert application.user.is_demo

    def test_every_row_is_valid_fhir(self):
        for kind in RESOURCES.values():
            rows = list(rows_of(kind)[:200])
            assert rows, kind
            for row in rows:
                get_fhir_model_class(row.RESOURCE_TYPE).model_validate(to_fhir(row))

    def test_every_service_can_be_had_within_a_fortnight(self):
        now = timezone.now()
        for service in HealthcareService.objects.all():
            assert times(service, now), service

    def test_the_night_doctors_hours_cross_midnight(self):
        video = HealthcareService.objects.get(fhir_id="video-visit")
        hours = {as_datetime(each.start).astimezone(NEW_YORK).hour for each in times(video, timezone.now(), "novak")}

        assert hours >= {22, 23, 0, 1}
        assert not hours & set(range(6, 22))

    def test_an_ultrasound_takes_a_radiologist_a_room_and_the_scanner(self):
        ultrasound = HealthcareService.objects.get(fhir_id="ultrasound")

        appointment = book(ultrasound, times(ultrasound, timezone.now())[0], Patient.objects.get(fhir_id="ada"))

        visits = Slot.objects.filter(appointment=appointment, status="busy")
        kinds = {slot.schedule.actor.RESOURCE_TYPE for slot in visits}
        assert kinds == {"Practitioner", "Location", "Device"}

    def test_a_class_takes_eight_and_no_more(self):
        lesson = HealthcareService.objects.get(fhir_id="back-class")
        found = times(lesson, timezone.now())[-1]
        start = as_datetime(found.start)
        there = Appointment.objects.filter(service=lesson, start=start).values("patient")
        others = Patient.objects.exclude(appointments__start=start).exclude(pk__in=there)

        for patient in others[: 8 - there.count()]:
            book(lesson, found, patient)

        assert Slot.objects.filter(appointment__service=lesson, start=start, status="busy").count() == 8
        with pytest.raises((TimeTaken, TimeNotOffered)):
            book(lesson, found, others.last())

    def test_one_person_at_two_sites_has_one_time(self):
        okafor = Practitioner.objects.get(fhir_id="okafor")

        assert {schedule.site.fhir_id for schedule in okafor.bookable.schedules.all()} == {"nyc", "la"}

    def test_ada_and_bo_each_have_a_visit_to_come_one_behind_them_and_one_cancelled(self):
        now = timezone.now()
        for patient in Patient.objects.exclude(user=None):
            visits = {visit.status: visit for visit in patient.appointments.all()}
            assert set(visits) == {"booked", "fulfilled", "cancelled"}
            assert visits["fulfilled"].end < now < visits["booked"].start
            assert not visits["cancelled"].slots.exists()


def test_it_is_refused_without_debug():
    with pytest.raises(CommandError, match="only with DEBUG"):
        seed()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "now",
    [
        pytest.param(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), id="the hour that New York repeats"),
        pytest.param(datetime(2027, 1, 1, 4, 59, 59, 999999, tzinfo=UTC), id="New Year's Eve"),
    ],
)
def test_it_is_a_clinic_whenever_it_is_made(now):
    with booking.all_or_nothing():
        count = DemoVisits(DemoRows(now)).fill()

    visits = Appointment.objects.all()
    assert visits.count() == count > 500
    assert not visits.filter(status="booked", start__lte=now).exists()
    assert not visits.filter(status__in=["fulfilled", "noshow"], end__gt=now).exists()
    assert all(times(service, now) for service in HealthcareService.objects.all())
