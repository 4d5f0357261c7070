"""Making and moving visits, by staff."""

import json
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.fhir.resources import to_fhir
from clinic.models import Appointment, AuditEvent, Communication, Patient, Slot
from scheduling import notifications
from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.row_digests import stored
from tests.shifted_clock.dates import shifted_dates

pytestmark = pytest.mark.django_db(transaction=True)
ZONE = ZoneInfo(NEW_YORK)
DIALOG = {"HX-Request": "true"}
BORN = ("birth_date_day", "birth_date_month", "birth_date_year")


@pytest.fixture
def visit(schedule, checkup, site, ten, elena):
    end = ten + timedelta(minutes=30)
    return AppointmentFactory(patient=elena, service=checkup, start=ten, end=end, schedules=[schedule], site=site)


def at(moment, **more):
    return {"date": moment.date().isoformat(), "time": f"{moment:%H:%M}", "tell": "on", **more}


def wish(schedule, service, moment, **more):
    return at(moment, calendar=schedule.fhir_id, service=service.fhir_id, **more)


class TestNewVisit:
    @pytest.fixture
    def book(self, as_rana, schedule, checkup, elena, ten):
        def booked(moment=ten, **more):
            sent = {"patient": elena.fhir_id, **wish(schedule, checkup, moment), **more}
            return as_rana.post("/staff/visits/new/", sent, headers=DIALOG)

        return booked

    def test_it_is_booked_and_said_without_a_name(self, book, elena, ten):
        answer = book(comment="Back pain")
        assert answer.status_code == 204
        assert "The visit is booked for" in answer.headers["HX-Trigger"]
        assert "Elena" not in answer.headers["HX-Trigger"]
        visit = Appointment.objects.get()
        assert (visit.patient, visit.start, visit.comment, visit.status) == (elena, ten, "Back pain", "booked")

    def test_without_a_script_it_leads_to_the_day(self, as_rana, schedule, checkup, elena, ten):
        sent = {**wish(schedule, checkup, ten), "patient": elena.fhir_id}
        answer = as_rana.post("/staff/visits/new/", sent)
        assert answer.url == f"/staff/agenda/?date={ten.date().isoformat()}"

    def test_the_patient_gets_a_message_unless_it_is_unticked(self, book, ten):
        book()
        assert Communication.objects.filter(event="confirmation").exists()

    def test_several_visits_are_booked_at_once(self, book, ten):
        answer = book(visits="3", weeks="2")
        assert "3 visits are booked." in answer.headers["HX-Trigger"]
        starts = list(Appointment.objects.order_by("occurrence").values_list("start", flat=True))
        assert [start.astimezone(ten.tzinfo).replace(tzinfo=None) for start in starts] == [
            ten.replace(tzinfo=None) + timedelta(weeks=2 * number) for number in range(3)
        ]

    def test_those_that_are_not_free_are_named_with_other_times_or_left_out(self, book, schedule, ten):
        second = (ten.replace(tzinfo=None) + timedelta(weeks=1)).replace(tzinfo=ten.tzinfo)
        SlotFactory(schedule=schedule, start=second, end=second + timedelta(minutes=30))
        refused = book(visits="3", weeks="1")
        assertContains(refused, "Visit 2: ", status_code=422)
        assertContains(refused, "Nearest free times: ", status_code=422)
        assert not Appointment.objects.exists()
        assert book(visits="3", weeks="1", leave_out="on").status_code == 204
        assert Appointment.objects.count() == 2

    def test_or_not(self, as_rana, schedule, checkup, elena, ten):
        sent = {**wish(schedule, checkup, ten), "patient": elena.fhir_id}
        del sent["tell"]
        as_rana.post("/staff/visits/new/", sent, headers=DIALOG)
        assert Appointment.objects.count() == 1
        assert not Communication.objects.filter(event="confirmation").exists()

    def test_a_taken_time_is_refused_with_the_nearest_ones_and_keeps_what_was_typed(self, book, schedule, ten):
        SlotFactory(schedule=schedule, start=ten)
        answer = book(comment="Back pain")
        assert answer.status_code == 422
        for words in ("no longer free", "Nearest free times", "10:30 AM", "Back pain", "Elena Maria Marquez"):
            assertContains(answer, words, status_code=422)
        assertNotContains(answer, "Book anyway", status_code=422)

    def test_a_rule_can_be_overridden_with_a_reason_that_is_kept(self, book, ten):
        early = ten.replace(hour=7)
        assertContains(book(early), "outside the hours", status_code=422)
        assertContains(book(early), "Book anyway", status_code=422)
        assertContains(book(early, anyway="1"), "Enter the reason.", status_code=422)
        assert book(early, anyway="1", override="Emergency").status_code == 204
        assert AuditEvent.objects.get(subtype="book").reason == "Emergency"

    def test_the_desk_reads_what_a_plugin_warns_of_and_overrides_what_it_refuses(self, book, ten, install):
        install.example("plugin-new-patient-mornings")
        afternoon = book(ten.replace(hour=15))
        assertContains(afternoon, "New patients are seen in the morning.", status_code=422)
        assertContains(afternoon, "Book anyway", status_code=422)
        booked = book(ten.replace(hour=15), anyway="1", override="Emergency")
        message = json.loads(booked.headers["HX-Trigger"])["calendar:done"]["message"]
        assert message.endswith("before 12 noon. The patient is new: plan ten minutes for the papers.")

    def test_a_reason_alone_overrides_nothing(self, book, ten):
        assert book(ten.replace(hour=7), override="Emergency").status_code == 422

    def test_a_new_patient_is_made_with_the_visit(self, book):
        new = {"patient": "", "given": "Noor", "family": "Haddad", "phone": "212 555 0123"}
        born = {"birth_date_day": "3", "birth_date_month": "4", "birth_date_year": "1990"}

        assert book(**new, **born).status_code == 204
        assert str(Appointment.objects.get().patient) == "Noor Haddad"

    def test_but_not_without_it(self, book, schedule, ten):
        SlotFactory(schedule=schedule, start=ten)
        born = dict(zip(BORN, ("3", "4", "1990"), strict=True))
        new = {"patient": "", "given": "Noor", "family": "Haddad", "phone": "212 555 0123", **born}
        before = stored()
        answer = book(**new, comment="Back pain")
        assertContains(answer, "no longer free", status_code=422)
        for typed in ("Noor", "Haddad", "(212) 555-0123", "1990", "Back pain"):
            assertContains(answer, typed, status_code=422)
        assert stored() == before

    def test_nor_when_something_goes_wrong_after_it(self, book, monkeypatch):
        def fail(*args, **named):
            raise RuntimeError("The disk is full.")

        monkeypatch.setattr(notifications, "booked", fail)
        before = stored()
        with pytest.raises(RuntimeError):
            book(patient="", given="Noor", family="Haddad", birth_unknown="on")
        assert stored() == before

    def test_the_same_person_is_shown_before_a_second_record_is_made(self, book, ten):
        known = PatientFactory(
            given="José", family="Núñez O\u2019Hara", birth_date=date(1990, 4, 3), phone="+1 212 555 0123", email=""
        )
        new = {"patient": "", "given": "Jose", "family": "Nunez O'Hara", "phone": "(212) 555-0123"}
        new |= {"birth_date_day": "3", "birth_date_month": "4", "birth_date_year": "1990"}
        answer = book(**new)
        assertContains(answer, "Is this the same person?", status_code=422)
        assertContains(answer, f'value="{known.fhir_id}"', status_code=422)
        assert not Appointment.objects.exists()
        assert book(**{**new, "patient": known.fhir_id}).status_code == 204
        assert Appointment.objects.get().patient == known
        assert book(ten.replace(hour=14), **new, different=known.fhir_id).status_code == 204
        assert Patient.objects.filter(family="Nunez O'Hara").count() == 1

    @pytest.mark.parametrize(
        ("typed", "name", "born"),
        [
            ({"given": "Suharto", "birth_date_year": "1921"}, "Suharto", "1921"),
            ({"family": "Suharto", "birth_date_month": "6", "birth_date_year": "1921"}, "Suharto", "1921-06"),
            ({"given": "Noor", "family": "Haddad", "birth_unknown": "on"}, "Noor Haddad", ""),
            ({"given": "A", "family": "B", **dict(zip(BORN, ("8", "6", "1921"), strict=True))}, "A B", "1921-06-08"),
        ],
    )
    def test_one_name_and_as_much_of_the_birth_date_as_is_known(self, book, typed, name, born):
        assert book(patient="", **typed).status_code == 204
        patient = Appointment.objects.get().patient
        assert (str(patient), patient.born, to_fhir(patient).get("birthDate", "")) == (name, born, born)

    def test_a_birth_date_is_asked_for(self, book):
        assertContains(book(patient="", given="Suharto"), "or say that it is not known", status_code=422)
        answer = book(patient="", given="Suharto", birth_date_month="6")
        assertContains(answer, "Enter all three numbers of the date.", status_code=422)
        assertContains(book(patient="", given="A", birth_date_year="0"), "There is no such date", status_code=422)

    def test_a_namesake_of_another_age_is_no_possible_duplicate(self, book):
        PatientFactory(given="Noor", family="Haddad", birth_date=date(1950, 1, 2), phone="+1 212 555 0123")
        born = {"birth_date_day": "3", "birth_date_month": "4", "birth_date_year": "1990"}
        assert book(patient="", given="Noor", family="Haddad", phone="212 555 0123", **born).status_code == 204

    def test_without_a_patient_it_says_what_to_do(self, book):
        assertContains(book(patient=""), "Find and choose the patient, or enter a new one.", status_code=422)

    def test_enter_in_the_search_box_looks_and_books_nothing(self, as_rana, schedule, checkup, ten, elena):
        sent = {**wish(schedule, checkup, ten), "search": "Marquez"}
        assertContains(as_rana.post("/staff/visits/new/", sent, headers=DIALOG), elena.fhir_id)
        assert not Appointment.objects.exists()

    def test_a_calendar_without_the_visit_says_so_and_not_that_nothing_is_free(self, as_rana, checkup, site, ten):
        other = ScheduleFactory(services=[ServiceFactory(), ServiceFactory()], site=site)
        sent = {**wish(other, checkup, ten), "refresh": "1"}
        page = as_rana.post("/staff/visits/new/", sent, headers=DIALOG)
        assertContains(page, f"{other.bookable} does not offer the visit that you chose.")
        assertNotContains(page, "There is no free time")

    def test_a_free_time_that_is_picked_changes_the_form_and_books_nothing(self, book, ten):
        answer = book(pick=ten.replace(hour=15).isoformat())
        assertContains(answer, 'value="15:00"')
        assert not Appointment.objects.exists()

    @pytest.mark.parametrize("pick", ["2026-13-45T25:61:00Z", "2026-12-01T15:00", "soon"])
    def test_an_invalid_time_cannot_be_picked(self, book, ten, pick):
        assertContains(book(pick=pick), f'value="{ten:%H:%M}"')

    def test_required_rooms_and_devices_are_added(self, as_rana, site, chen, elena, ten):
        scan = ServiceFactory(requires=["Practitioner", "Location"], hours=None, duration=30)
        hours = {"availability": [{"daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "allDay": True}]}
        doctor = ScheduleFactory(actor=chen, services=[scan], site=site, parameters=hours)
        rooms = [
            ScheduleFactory(actor=RoomFactory(part_of=site), services=[scan], site=site, parameters=hours)
            for _ in range(2)
        ]
        SlotFactory(schedule=rooms[0], start=ten)
        sent = {**wish(doctor, scan, ten), "patient": elena.fhir_id}
        assert as_rana.post("/staff/visits/new/", sent, headers=DIALOG).status_code == 204
        assert set(Slot.objects.filter(appointment__isnull=False).values_list("schedule", flat=True)) == {
            doctor.pk,
            rooms[1].pk,
        }

    def test_a_colleagues_calendar_is_not_theirs_to_book(self, client, chen, schedule, checkup, elena, ten, site):
        colleague = ScheduleFactory(services=[checkup], site=site)
        client.force_login(chen.user)
        sent = {**wish(colleague, checkup, ten), "patient": elena.fhir_id}
        assert client.post("/staff/visits/new/", sent).status_code == 404
        assert not Appointment.objects.exists()

    def test_patients_do_not_see_the_form(self, as_ada, schedule):
        assert as_ada.get("/staff/visits/new/").status_code == 403


class TestFindingPatients:
    @pytest.mark.parametrize(
        "typed", ["mar", "elena mar", "Maria", "1985-03-27", "27.3.1985", "555-0199", "2125550199", "MRN-77"]
    )
    def test_by_name_birth_date_phone_or_identifier(self, as_rana, elena, bo, typed):
        answer = as_rana.post("/staff/visits/patients/", {"search": typed})
        assertContains(answer, "Elena Maria Marquez")
        assertNotContains(answer, "Bo Lind")

    def test_eight_are_shown_and_how_many_more_there_are(self, as_rana, django_assert_max_num_queries):
        for number in range(20):
            PatientFactory(given=f"Anna{number:02}", family="Berg")
        PatientFactory(given="Berg", family="Zimmer")
        PatientFactory(given="Zoe", family="Berg")
        as_rana.post("/staff/visits/patients/", {"search": "anna"})
        with django_assert_max_num_queries(15):  # with those of the redirect
            answer = as_rana.post("/staff/visits/patients/", {"search": "zoe berg"})
        assertContains(answer, 'name="patient"', 1)
        assertNotContains(answer, "more.")
        answer = as_rana.post("/staff/visits/patients/", {"search": "anna"})
        assertContains(answer, 'name="patient"', 8)
        assertContains(answer, "and 12 more.")
        assertContains(answer, "Show more")
        answer = as_rana.post("/staff/visits/patients/", {"search": "anna", "more": "1"})
        assertContains(answer, 'name="patient"', 20)
        assertNotContains(answer, "Show more")
        assert "Zoe Berg" in as_rana.post("/staff/visits/patients/", {"search": "berg zoe"}).text

    def test_more_are_shown_without_a_script_too_and_nothing_is_booked(self, as_rana, schedule, checkup, ten):
        for number in range(9):
            PatientFactory(given=f"Anna{number}", family="Berg")
        sent = {**wish(schedule, checkup, ten), "search": "berg"}
        assertContains(as_rana.post("/staff/visits/new/", {**sent, "find": "1"}), "and 1 more.")
        assertContains(as_rana.post("/staff/visits/new/", {**sent, "more": "1"}), "Anna8 Berg")
        assert not Appointment.objects.exists()

    def test_one_letter_is_too_little(self, as_rana, elena):
        assertNotContains(as_rana.post("/staff/visits/patients/", {"search": "E"}), "Elena")

    def test_a_practitioner_finds_only_their_own(self, client, chen, schedule, elena):
        client.force_login(chen.user)
        assertContains(client.post("/staff/visits/patients/", {"search": "Elena"}), "No patient found")

    def test_names_are_never_asked_for_by_an_address(self, as_rana, elena):
        assert as_rana.get("/staff/visits/patients/?search=Elena").status_code == 405


class TestMoving:
    @pytest.fixture
    def move(self, as_rana, visit, schedule, ten):
        def moved(moment=ten, **more):
            sent = at(moment, calendar=schedule.fhir_id, minutes="30", version=visit.version)
            return as_rana.post(f"/staff/visits/{visit.fhir_id}/move/", {**sent, **more}, headers=DIALOG)

        return moved

    def test_it_moves_and_can_be_taken_back(self, as_rana, move, visit, ten):
        answer = move(ten.replace(hour=14))
        assert answer.status_code == 204
        visit.refresh_from_db()
        assert visit.start == ten.replace(hour=14)
        undo = json.loads(answer.headers["HX-Trigger"])["calendar:done"]["undo"]
        assert as_rana.post(undo["url"], undo["fields"], headers=DIALOG).status_code == 204
        visit.refresh_from_db()
        assert visit.start == ten

    def test_its_present_time_is_not_offered_as_a_new_one(self, as_rana, move, visit, schedule, ten):
        """With another length it is: the visit can become longer where it is."""
        address = f"/staff/visits/{visit.fhir_id}/move/"
        free = as_rana.get(address, headers=DIALOG).context["free"]
        assert ten not in free
        assert {ten - timedelta(minutes=15), ten + timedelta(minutes=15)} <= set(free)
        assert ten in move(minutes="45", refresh="1").context["free"]
        for start, end in ((ten.replace(hour=0), ten), (ten + timedelta(minutes=30), ten + timedelta(days=1))):
            SlotFactory(schedule=schedule, start=start, end=end)
        later = as_rana.get(address, headers=DIALOG).context["free"]
        assert len(later) == 4
        assert min(later) > ten

    def test_the_old_time_stands_where_the_new_one_is_taken(self, move, visit, schedule, ten):
        SlotFactory(schedule=schedule, start=ten.replace(hour=14))
        assertContains(move(ten.replace(hour=14)), "no longer free", status_code=422)
        visit.refresh_from_db()
        assert visit.start == ten

    def test_another_length_is_asked_of_the_engine(self, move, visit, schedule, ten):
        assert move(minutes="60").status_code == 204
        visit.refresh_from_db()
        assert visit.end - visit.start == timedelta(minutes=60)
        SlotFactory(schedule=schedule, start=ten + timedelta(minutes=60))
        assert move(minutes="90", version=visit.version).status_code == 422

    def test_another_length_alone_is_called_a_length(self, as_rana, move, visit, ten):
        asked = {"start": f"{ten:%Y-%m-%dT%H:%M}", "minutes": "45"}
        shown = as_rana.get(f"/staff/visits/{visit.fhir_id}/move/", asked, headers=DIALOG)
        for words in ("New length", "45 minutes", "10:00", "10:45 AM", "Change to 45 minutes", "data-focus"):
            assertContains(shown, words)
        assertNotContains(shown, "Move to ")
        assert "The visit now lasts 45 minutes." in move(minutes="45").headers["HX-Trigger"]

    def test_a_visit_that_a_colleague_cancelled_meanwhile_is_not_moved_and_says_so(self, move, visit, ten):
        Appointment.objects.update(status="cancelled")
        answer = move(ten.replace(hour=14))
        assertContains(answer, "This visit was changed in the meantime. It is now: Cancelled", status_code=422)

    def test_a_calendar_that_does_not_offer_the_visit_says_so_at_once(self, as_rana, visit, site, ten):
        other = ScheduleFactory(services=[ServiceFactory(name="Advice")], site=site)
        asked = {"start": f"{ten:%Y-%m-%dT%H:%M}", "schedule": other.fhir_id}
        shown = as_rana.get(f"/staff/visits/{visit.fhir_id}/move/", asked, headers=DIALOG)
        assertContains(shown, "does not offer Check-up")
        assertContains(shown, "notice--warn")

    def test_a_lengthened_visit_keeps_its_length(self, move, visit, ten):
        move(minutes="60")
        visit.refresh_from_db()
        assert move(ten.replace(hour=14), minutes="60", version=visit.version).status_code == 204
        visit.refresh_from_db()
        assert (visit.start, visit.end - visit.start) == (ten.replace(hour=14), timedelta(minutes=60))

    def test_rooms_and_devices_move_with_the_visit(self, move, as_rana, visit, schedule, checkup, site, ten):
        room = ScheduleFactory(services=[checkup], actor=RoomFactory(part_of=site), site=site)
        SlotFactory(schedule=room, start=visit.start, end=visit.end, appointment=visit)
        colleague = ScheduleFactory(services=[checkup], site=site)
        assert move(ten.replace(hour=14), calendar=colleague.fhir_id).status_code == 204
        assert {each.schedule for each in visit.slots.filter(deleted_at=None)} == {colleague, room}

    def test_to_another_calendar(self, move, visit, checkup, site, ten):
        colleague = ScheduleFactory(services=[checkup], site=site)
        assert move(calendar=colleague.fhir_id).status_code == 204
        assert Slot.objects.get(appointment=visit, deleted_at=None).schedule == colleague

    def test_a_calendar_that_does_not_give_the_visit_is_named(self, move, site):
        other = ScheduleFactory(services=[ServiceFactory()], site=site)
        assertContains(move(calendar=other.fhir_id), "does not offer Check-up", status_code=422)

    def test_a_change_by_another_user_is_not_overwritten(self, move, visit, ten):
        Appointment.objects.update(version=5)
        assertContains(move(ten.replace(hour=14)), "Someone else has changed this visit", status_code=422)
        visit.refresh_from_db()
        assert visit.start == ten

    def test_the_reason_for_breaking_a_rule_is_kept(self, move, ten):
        assert move(ten.replace(hour=6), anyway="1", override="Asked for it").status_code == 204
        assert AuditEvent.objects.get(subtype="reschedule").reason == "Asked for it"

    def test_the_patient_gets_a_message_only_if_it_is_ticked(self, move, ten):
        move(ten.replace(hour=14), tell="")
        assert not Communication.objects.filter(event="moved").exists()

    def test_a_time_that_the_clocks_skip_is_refused(self, move):
        day = shifted_dates(timezone.now().date())["spring-change"].date()
        answer = move(datetime.combine(day, time(2, 30)))
        assertContains(answer, "The clocks go forward that night", status_code=422)

    def test_a_repeated_local_time_is_chosen_explicitly(self, move, visit, ten):
        day = shifted_dates(timezone.now().date())["autumn-change"].date()
        twice = datetime.combine(day, time(1, 30))
        assertContains(move(twice), "Choose which of the two times you mean.", status_code=422)
        move(twice, again="1", anyway="1", override="Night")
        visit.refresh_from_db()
        assert visit.start.hour == 6

    def test_another_sites_visit_does_not_exist_for_them(self, as_rana, checkup):
        site = LocationFactory()
        elsewhere = AppointmentFactory(service=checkup, site=site, schedules=[ScheduleFactory(site=site)])
        assert as_rana.get(f"/staff/visits/{elsewhere.fhir_id}/").status_code == 404
        assert as_rana.get(f"/staff/visits/{elsewhere.fhir_id}/move/").status_code == 404

    def test_it_is_shown_at_a_glance(self, as_rana, visit):
        page = as_rana.get(f"/staff/visits/{visit.fhir_id}/")
        for words in ("Elena Maria Marquez", "Check-up", "Booked", "New York time", "Move…"):
            assertContains(page, words)


def test_the_forms_ask_as_much_however_many_calendars_there_are(
    as_rana, schedule, checkup, site, visit, django_assert_max_num_queries
):
    for _ in range(5):
        ScheduleFactory(services=[checkup], site=site)
    with django_assert_max_num_queries(17):
        as_rana.get(f"/staff/visits/new/?schedule={schedule.fhir_id}")
    with django_assert_max_num_queries(20):
        as_rana.get(f"/staff/visits/{visit.fhir_id}/move/")
    assert timezone.now() < visit.start
