"""`manage.py seed_demo`: a clinic that is open, whenever it is created."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.db.models import Min, Sum
from django.test import TestCase, override_settings
from django.utils import timezone
from fhir.resources.R4B import get_fhir_model_class
from oauth2_provider.models import get_application_model

from clinic.available_time import period_of
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import (
    Appointment,
    CareTeam,
    Communication,
    Coverage,
    DeskPayment,
    Device,
    Encounter,
    HealthcareService,
    Location,
    Patient,
    Practitioner,
    Questionnaire,
    QuestionnaireResponse,
    Rebooking,
    Schedule,
    Slot,
    User,
    VisitFigures,
)
from clinic.translations import text_of
from demo.seed import people
from demo.seed.history import write_history
from demo.seed.other_languages import TEXTS
from demo.seed.rows import DemoRows
from demo.seed.visits import DemoVisits
from portal.staff.board.board import BoardQuery, read_board
from scheduling import access, availability, booking, notifications, questionnaires, requirements
from scheduling.access import Caller
from scheduling.availability import FoundTime, TimeQuery, as_datetime
from scheduling.booking import BookingRequest
from scheduling.errors import RuleBroken, TimeNotOffered, TimeTaken

NEW_YORK = ZoneInfo("America/New_York")
SYSTEM = Caller(client="demo-system", scopes=("system/*.cruds",))
FREE_FOR_ALL = ("follow-up", "new-patient", "ultrasound", "video-visit", "back-class", "travel-health")


def seed() -> str:
    output = StringIO()
    call_command("seed_demo", stdout=output)
    return output.getvalue()


def times(service: HealthcareService, now: datetime, practitioner: str | None = None) -> list[FoundTime]:
    who = Practitioner.objects.get(fhir_id=practitioner).pk if practitioner else None
    ways = availability.arrangements_for(service, practitioner=who)
    query = TimeQuery(ways=availability.ways_of(service, ways), start=now, end=now + timedelta(days=14))
    return availability.find_times(query, now=now)


def overlaps(found: FoundTime, spans: Iterable[tuple[datetime, datetime]]) -> bool:
    return any(start < as_datetime(found.end) and as_datetime(found.start) < end for start, end in spans)


def free_for(patient: Patient, service: HealthcareService) -> list[FoundTime]:
    """The times of the service at which the patient has no other visit."""
    taken = list(patient.appointments.exclude(status__in=["cancelled", "waitlist"]).values_list("start", "end"))
    return [found for found in times(service, timezone.now()) if not overlaps(found, taken)]


def book(service: HealthcareService, found: FoundTime, patient: Patient) -> Appointment:
    start = as_datetime(found.start)
    request = BookingRequest(service=service, offerings=found.offerings, start=start, patient=patient)
    return booking.book(request, caller=SYSTEM, now=timezone.now())


class TestTheDemo(TestCase):
    """Create the demo once for all tests of this class."""

    @classmethod
    def setUpTestData(cls) -> None:
        with override_settings(DEMO=True):
            cls.said = seed()

    def test_one_line_says_what_was_made(self):
        assert self.said.startswith("Made the demo clinic: 2 sites, 11 services")
        assert self.said.count("\n") == 1

    def test_making_it_again_changes_nothing_and_costs_one_query(self):
        with override_settings(DEMO=True), self.assertNumQueries(1):
            assert seed() == "The demo clinic is there already.\n"

    def test_everybody_signs_in_with_the_demos_password(self):
        users = {user.email: user for user in User.objects.all()}

        assert set(users) == {email for email, *_ in people.USERS}
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

    def test_found_times_of_services_without_requirements_can_be_booked(self):
        stranger = Patient.objects.create(given="Sam", family="Stranger", last_updated=timezone.now())

        for fhir_id in FREE_FOR_ALL:
            service = HealthcareService.objects.get(fhir_id=fhir_id)
            assert book(service, free_for(stranger, service)[0], stranger).status == "booked"

    def test_ada_can_book_what_requires_coverage_and_her_own_care_team_and_bo_cannot(self):
        ada, bo = (Patient.objects.get(fhir_id=each) for each in ("ada", "bo"))

        for fhir_id in ("physiotherapy", "diabetes-check"):
            service = HealthcareService.objects.get(fhir_id=fhir_id)
            assert book(service, free_for(ada, service)[0], ada).status == "booked"
            with pytest.raises(RuleBroken, match=r"coverage|care team"):
                book(service, free_for(bo, service)[-1], bo)

    def test_the_sleep_consultation_asks_before_it_is_booked_and_the_surgery_needs_a_referral(self):
        services = HealthcareService.objects.in_bulk(["sleep-consultation", "skin-surgery"], field_name="fhir_id")

        ada, consultation = Patient.objects.get(fhir_id="ada"), services["sleep-consultation"]
        found = free_for(ada, consultation)[0]

        with pytest.raises(RuleBroken, match="answers"):
            book(consultation, found, ada)
        assert services["skin-surgery"].bookable_by == "referred"

    def test_no_visit_lacks_what_its_service_requires(self):
        asking = HealthcareService.objects.filter(fhir_id__in=["physiotherapy", "diabetes-check", "sleep-consultation"])
        for service in asking:
            recent = timezone.now() - timedelta(days=20)
            visits = Appointment.objects.filter(service=service, status__in=["booked", "fulfilled"], start__gt=recent)
            assert visits, service
            for visit in visits:
                assert requirements.unmet(visit, now=timezone.now()) == []

    def test_ada_cares_for_leo_who_has_a_visit_to_come(self):
        ada = Caller(user=User.objects.get(email="ada@example.com"))
        leo = Patient.objects.get(fhir_id="leo")

        assert [str(each) for each in ada.patients.values()] == ["Ada Byron", "Leo Byron"]
        assert leo.user is None
        assert [visit.status for visit in access.visible(Appointment, ada).filter(patient=leo)] == ["booked"]
        messages = Communication.objects.filter(patient=leo, medium="email")
        assert {each.address for each in messages} == {"ada@example.com"}

    def test_adas_coverage_is_active_and_bos_has_run_out(self):
        today = timezone.now().date()
        ada, bo = (Patient.objects.get(fhir_id=each) for each in ("ada", "bo"))

        assert requirements.coverages(ada.pk, today.replace(year=today.year + 1, day=1)).exists()
        assert Coverage.objects.filter(beneficiary=bo, end__lt=today).exists()
        assert not requirements.coverages(bo.pk, today).exists()
        assert CareTeam.objects.get(patient=ada).participant[0]["member"]["reference"] == "Practitioner/chen"

    def test_every_visit_that_came_about_has_its_encounter(self):
        states = {"fulfilled": "finished", "arrived": "arrived", "checked-in": "in-progress"}
        encounters = Encounter.objects.select_related("appointment")

        assert {each.status for each in encounters} <= set(states.values())
        assert all(each.status == states[each.appointment.status] for each in encounters)
        assert all(each.start < each.end for each in encounters if each.end)
        assert all(each.start <= timezone.now() for each in encounters)
        assert encounters.count() == Appointment.objects.filter(status__in=states).count()

    def test_travellers_have_answered_or_begun_to_and_answers_that_are_complete_say_so(self):
        given = QuestionnaireResponse.objects.filter(questionnaire__fhir_id="travel-health")

        assert {each.status for each in given} == {"completed", "in-progress"}
        assert all(questionnaires.sheet_of(each).is_complete == (each.status == "completed") for each in given)
        assert all(each.item == questionnaires.sheet_of(each).as_items() for each in given)

    def test_the_patients_who_sign_in_were_told_and_will_be_reminded(self):
        for patient in Patient.objects.filter(fhir_id__in=["ada", "bo", "leo"]):
            messages = Communication.objects.filter(patient=patient)
            sent, planned = messages.filter(event="confirmation"), messages.filter(event="reminder")
            assert {each.medium for each in sent} == {"email", "sms", "in-app"}
            assert all(each.status == "completed" and each.body and each.sent for each in sent)
            assert {each.status for each in planned} == {"preparation"}

    def test_the_desk_sees_messages_that_did_not_arrive(self):
        rana = User.objects.get(email="rana@example.com")
        failures = notifications.failures({each.pk for each in rana.desk_locations.all()}, now=timezone.now())

        assert {each.medium for each in failures} == {"email", "sms"}

    def test_some_of_tomorrow_have_said_that_they_come(self):
        now = timezone.now()
        confirmed = Appointment.objects.exclude(attendance_confirmed=None)

        assert all(each.created < each.attendance_confirmed <= now for each in confirmed)
        assert {each.status for each in confirmed if each.start > now} == {"booked"}

    def test_of_the_patients_of_an_absence_some_have_chosen_and_one_must_be_called(self):
        states = set(Rebooking.objects.values_list("state", flat=True))

        assert states == {"moved", "offered", "call"}
        assert Rebooking.objects.filter(state="call", why="asked").count() == 1

    def test_the_last_patients_have_paid_at_the_desk(self):
        taken = DeskPayment.objects.select_related("appointment__service")

        assert {each.method for each in taken} == {"cash", "card"}
        assert all(each.amount == each.appointment.service.price for each in taken)

    def test_a_year_of_visits_is_there_for_the_reports(self):
        now = timezone.now()
        past = Appointment.objects.filter(start__lt=now - timedelta(days=20))

        assert past.count() > 1000
        assert past.earliest("start").start < now - timedelta(days=340)
        assert set(past.values_list("status", flat=True)) == {"fulfilled", "cancelled", "noshow"}
        counted = VisitFigures.objects.aggregate(first=Min("day"), done=Sum("done"), missed=Sum("missed"))
        assert counted["first"] < now.date() - timedelta(days=340)
        assert counted["done"] == Appointment.objects.filter(status="fulfilled").count()
        assert counted["missed"] == Appointment.objects.filter(status="noshow").count()

    def test_a_lunch_is_one_block_that_comes_again(self):
        lunch = Slot.objects.filter(schedule__fhir_id="chen", comment="Lunch").last()

        assert booking.is_repeated(lunch)

    def test_a_calendars_hours_change_in_a_few_weeks(self):
        parameters = Schedule.objects.get(fhir_id="okafor-nyc").scheduling_parameters.first()
        periods = [period_of(each) for each in parameters.availability]

        assert {first is None for first, _ in periods} == {True, False}
        change = next(first for first, _ in periods if first)
        assert change.weekday() == 0
        assert timedelta(days=21) <= change - timezone.now().date() <= timedelta(days=28)

    def test_every_calendar_of_video_visits_has_its_room(self):
        rooms = Schedule.objects.filter(services__telehealth=True).values_list("fhir_id", "meeting_url")

        assert dict(rooms) == {each: f"https://video.example/riverside/{each}" for each in ("chen", "novak")}

    def test_every_site_has_an_address_and_a_phone(self):
        sites = Location.objects.filter(part_of=None)
        assert len(sites) >= 2
        for site in sites:
            assert all((site.line, site.city, site.state, site.postal_code, site.phone, site.timezone)), site.name

    def test_the_night_doctors_hours_cross_midnight(self):
        video = HealthcareService.objects.get(fhir_id="video-visit")
        free = [as_datetime(time.start) for time in times(video, timezone.now(), "novak")]
        taken = Slot.objects.filter(schedule__fhir_id="novak", status="busy").values_list("start", flat=True)
        hours = {start.astimezone(NEW_YORK).hour for start in (*free, *taken)}

        assert hours >= {22, 23, 0, 1}
        assert not hours & set(range(6, 22))

    def test_an_ultrasound_takes_a_radiologist_a_room_and_the_scanner(self):
        ultrasound = HealthcareService.objects.get(fhir_id="ultrasound")

        ada = Patient.objects.get(fhir_id="ada")
        appointment = book(ultrasound, free_for(ada, ultrasound)[0], ada)

        visits = Slot.objects.filter(appointment=appointment, status="busy")
        kinds = {slot.schedule.actor.RESOURCE_TYPE for slot in visits}
        assert kinds == {"Practitioner", "Location", "Device"}

    def test_a_class_takes_eight_and_no_more(self):
        lesson = HealthcareService.objects.get(fhir_id="back-class")
        found = times(lesson, timezone.now())[-1]
        start = as_datetime(found.start)
        there = Appointment.objects.filter(service=lesson, start=start)
        busy = Appointment.objects.filter(start__lt=as_datetime(found.end), end__gt=start)
        others = Patient.objects.exclude(pk__in=busy.values("patient")).order_by("pk")

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
            visits = {visit.status: visit for visit in patient.appointments.exclude(status="waitlist")}
            assert set(visits) == {"booked", "fulfilled", "cancelled"}
            assert visits["fulfilled"].end < now < visits["booked"].start
            assert not visits["cancelled"].slots.exists()


def test_it_is_refused_without_debug():
    with pytest.raises(CommandError, match="only with DEMO"):
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

    visits, waiting = Appointment.objects.exclude(status="waitlist"), Appointment.objects.filter(status="waitlist")
    assert visits.count() == count > 500
    assert waiting.count() == 4
    assert not visits.filter(status="booked", start__lte=now).exists()
    assert not visits.filter(status__in=["fulfilled", "noshow"], end__gt=now).exists()
    assert all(times(service, now) for service in HealthcareService.objects.all())
    for row in (row for model in (HealthcareService, Location, Device, Questionnaire) for row in model.objects.all()):
        for column in (each for each in row.TRANSLATED if getattr(row, each)):
            assert {text_of(row, column, language).language for language in TEXTS} == set(TEXTS), getattr(row, column)
    for form, language in product(Questionnaire.objects.all(), TEXTS):
        for item in questionnaires.walk(questionnaires.items_of(form, language)):
            texts = (item.text, *(option.label for option in item.options))
            assert {getattr(text, "language", language) for text in texts} == {language}, item.text


@pytest.mark.django_db
def test_its_year_of_visits_fits_beside_the_first_ones_at_an_hour_of_work(django_assert_max_num_queries):
    now = datetime(2026, 11, 30, 8, 12, tzinfo=NEW_YORK)
    with booking.all_or_nothing():
        rows = DemoRows(now)
        visits = DemoVisits(rows)
        visits.fill()
        with django_assert_max_num_queries(100):  # for more than a thousand visits
            write_history(visits.written, rows, now=now)
    assert Slot.objects.filter(start__lt=now - timedelta(days=300)).count() > 100


@pytest.mark.django_db
def test_in_the_middle_of_a_working_day_the_desk_has_all_kinds_of_visits():
    now = datetime(2026, 11, 3, 10, 50, tzinfo=NEW_YORK)
    with booking.all_or_nothing():
        DemoVisits(DemoRows(now.astimezone(UTC))).fill()

    midnight = now.replace(hour=0, minute=0)
    today = Appointment.objects.filter(site__fhir_id="nyc", start__range=(midnight, midnight + timedelta(days=1)))
    assert {each.status for each in today} >= {"booked", "arrived", "checked-in", "fulfilled", "noshow"}


@pytest.mark.django_db
def test_a_clinic_that_is_made_on_a_sunday_is_open_on_that_day():
    now = datetime(2026, 11, 29, 13, 10, tzinfo=NEW_YORK)
    with booking.all_or_nothing():
        DemoVisits(DemoRows(now.astimezone(UTC))).fill()

    admin, rana = (Caller(user=User.objects.get(email=f"{name}@example.com")) for name in ("admin", "rana"))
    for site in Location.objects.filter(part_of=None):
        assert read_board(admin, [site], BoardQuery(), now=now).count >= 8, site
    desk = read_board(rana, [Location.objects.get(fhir_id="nyc")], BoardQuery(), now=now)
    assert {column.status for column in desk.columns if column.cards} >= {"booked", "arrived", "fulfilled", "noshow"}
