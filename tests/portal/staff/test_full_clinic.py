"""The staff's pages of a clinic with 480 visits a day: as many queries as for a small one, and small pages."""

import gzip
import re
from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.full_clinic import GROUP_SEATS, GROUP_SERVICE, GROUP_TAKEN, ZONE, fill
from benchmarks.page_costs import elements_of
from clinic import minute_cache, patient_text
from clinic.models import Appointment, AuditEvent
from portal.templatetags.portal import phone
from tests.factories import PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}

# page: the largest number of elements with 20 practitioners
PAGES = {
    "/staff/": 700,
    "/staff/?as=list": 8_500,
    "/staff/agenda/": 8_500,
    "/staff/week/": 1_500,
    "/staff/week/?schedule={one}": 700,
    "/staff/month/": 1_000,
    "/staff/today/": 3_000,
    "/staff/today/?column=booked&first=100": 4_000,
    "/staff/sheets/": 5_000,
    "/staff/calendar/events/?start={day}&end={next}&view=day": 0,
    "/staff/calendar/changes/?since={day}T00:00:00Z": 0,
}


@pytest.fixture
def noon():
    return datetime.combine(timezone.now().astimezone(ZONE).date(), time(12), ZONE)


def desk_of(clinic, *, grid=True):
    client = Client()
    client.force_login(UserFactory(desk_locations=[clinic.site]))
    if grid:
        client.cookies["calendar_grid"] = "1"
    client.post(
        "/staff/calendar/choose/",
        {
            "site": clinic.site.fhir_id,
            "from": clinic.site.fhir_id,
            "calendars": [each.fhir_id for each in clinic.calendars],
        },
    )
    return client


@pytest.fixture(autouse=True)
def values_that_stay(monkeypatch):
    """Let no value that is kept for a minute be read again while statements are counted, which may take longer."""
    monkeypatch.setattr(minute_cache, "KEPT_FOR", 3600.0)


def test_twenty_practitioners_cost_as_many_statements_as_five_and_their_pages_are_bounded(noon):
    days = [noon.date()]
    query = {"day": noon.date(), "next": noon.date() + timedelta(days=1)}
    counted: dict[int, dict[str, int]] = {}
    for practitioners in (5, 20):
        clinic = fill(practitioners, days, now=noon)
        desk = desk_of(clinic)
        counted[practitioners] = {}
        for page, most in PAGES.items():
            address = page.format(one=clinic.calendars[0].fhir_id, **query)
            desk.get(address)  # records the disclosure of the patients
            with CaptureQueriesContext(connection) as captured:
                answer = desk.get(address)
            assert answer.status_code == 200, page
            counted[practitioners][page] = len(captured)
            assert len(gzip.compress(answer.content)) < 60_000, page
            if most:
                assert elements_of(answer.content.decode()) <= most, page
        visit = Appointment.objects.filter(site=clinic.site).first()
        for _ in range(2):  # the first records the disclosure of who moves up in the column
            Appointment.objects.filter(pk=visit.pk).update(status="booked")
            with CaptureQueriesContext(connection) as captured:
                step = {"status": "arrived", "site": clinic.site.fhir_id}
                answer = desk.post(f"/staff/appointments/{visit.fhir_id}/step/", step, headers=HTMX)
        assert elements_of(answer.content.decode()) <= PAGES["/staff/today/"]
        counted[practitioners]["step"] = len(captured)
        with CaptureQueriesContext(connection) as captured:
            answer = desk.post("/staff/today/", {"site": clinic.site.fhir_id, "find": "dr."}, headers=HTMX)
        assert elements_of(answer.content.decode()) <= PAGES["/staff/today/"]
        counted[practitioners]["find"] = len(captured)
    assert counted[5] == counted[20]
    assert max(counted[20].values()) <= 30


class TestOnePractitioner:
    @pytest.fixture
    def clinic(self, noon):
        return fill(1, [noon.date()], now=noon)

    def test_a_browser_that_draws_the_grid_is_not_sent_the_list_too(self, clinic):
        name = Appointment.objects.filter(site=clinic.site).first().patient.family
        for address in ("/staff/", "/staff/week/"):
            drawn = desk_of(clinic).get(address).content.decode()
            assert name not in drawn
            assert "<noscript>" in drawn  # a link to the list for browsers without scripts
            assert name in desk_of(clinic).get(f"{address}?as=list").content.decode()
            assert name in desk_of(clinic, grid=False).get(address).content.decode()

    def test_a_group_is_one_entry_that_says_how_full_it_is(self, clinic, noon):
        desk, day = desk_of(clinic), noon.date()
        full = f"{GROUP_TAKEN} of {GROUP_SEATS}"
        query = {"start": day.isoformat(), "end": (day + timedelta(days=1)).isoformat()}
        events = [
            each for each in desk.get("/staff/calendar/events/", query).json() if each.get("title") == GROUP_SERVICE
        ]
        assert [each["extendedProps"]["service"] for each in events] == [full, full]
        page = desk.get("/staff/agenda/").content.decode()
        assert page.count(full) == 2
        assert "32 visits" in page  # 22 and twice five
        members = desk.get(events[0]["extendedProps"]["href"])
        assert members.content.decode().count('class="entry__born"') == GROUP_TAKEN
        assert full in members.content.decode()
        assert desk.get("/staff/today/").content.decode().count(f"{GROUP_SERVICE}, {full}, Dr.") == 2 * GROUP_TAKEN

    def test_participants_of_another_sites_group_are_not_shown(self, clinic, noon):
        events = desk_of(clinic).get(
            "/staff/calendar/events/",
            {"start": noon.date().isoformat(), "end": (noon.date() + timedelta(days=1)).isoformat()},
        )
        address = next(each["extendedProps"]["href"] for each in events.json() if each.get("title") == GROUP_SERVICE)
        stranger = desk_of(fill(1, [], now=noon))
        assert stranger.get(address).status_code == 404

    def test_name_and_birth_date_tell_people_apart(self, clinic):
        patient = Appointment.objects.filter(site=clinic.site).first().patient
        born = patient_text.birth_date_text(patient)
        for page in ("/staff/today/", "/staff/agenda/", "/staff/sheets/"):
            assert born in desk_of(clinic).get(page).content.decode(), page


def test_a_week_of_many_has_a_row_for_each_person(noon):
    clinic = fill(4, [noon.date()], now=noon)
    people = desk_of(clinic).get("/staff/week/").context["people"]
    assert {person.schedule.pk: person.visits for person in people} == {
        each.pk: 24 if n else 32 for n, each in enumerate(clinic.calendars)
    }
    second = next(person for person in people if person.schedule == clinic.calendars[1])
    [today] = [day for day in second.days if day.is_today]
    assert (today.visits, f"{today.first:%H:%M}", f"{today.last:%H:%M}") == (24, "08:00", "17:00")
    assert today.share == 100  # eight hours of visits and the block at lunch
    assert {day.share for day in second.days if not day.is_today} == {0}
    few = desk_of(clinic).get(f"/staff/week/?schedule={clinic.calendars[1].fhir_id}")
    assert "people" not in few.context  # the week of one is a grid


def test_the_board_of_one_practitioner_has_their_visits_alone(noon):
    clinic = fill(2, [noon.date()], now=noon)
    desk = desk_of(clinic)
    everyone = desk.get("/staff/today/").context["board"]
    assert [option.visits for option in everyone.people] == [32, 24]
    one = everyone.people[1].reference
    board = desk.get("/staff/today/", {"practitioner": one}).context["board"]
    assert board.count == 24
    [visit] = Appointment.objects.filter(site=clinic.site, participant__contains=[{"actor": {"reference": one}}])[:1]
    Appointment.objects.filter(pk=visit.pk).update(status="booked")
    stepped = desk.post(
        f"/staff/appointments/{visit.fhir_id}/step/",
        {"status": "arrived", "site": clinic.site.fhir_id, "practitioner": one},
        headers=HTMX,
    )
    assert stepped.context["board"].count == 24


class TestALongColumn:
    @pytest.fixture
    def clinic(self, noon):
        clinic = fill(8, [noon.date()], now=noon)
        Appointment.objects.filter(site=clinic.site).update(status="booked")
        return clinic

    @pytest.fixture
    def desk(self, clinic):
        return desk_of(clinic)

    def test_it_shows_what_is_around_now(self, clinic, desk):
        board = desk.get("/staff/today/").context["board"]
        expected = board.columns[0]
        assert (expected.count, len(expected.cards), expected.hidden) == (200, 60, 140)
        starts = Appointment.objects.filter(site=clinic.site).values_list("fhir_id", "start")
        nearest = sorted(starts, key=lambda visit: (abs(visit[1] - board.now), visit[0]))[:15]
        assert {start for _id, start in nearest} <= {card.appointment.start for card in expected.cards}

    def test_links_lead_to_each_of_its_visits_and_back(self, clinic, desk):
        address, shown = "/staff/today/?column=booked&first=0", []
        while address:
            page = desk.get(address)
            expected = page.context["board"].columns[0]
            shown.append([card.id for card in expected.cards])
            address = _link(page, f"{expected.after} later")
        assert [len(part) for part in shown] == [100, 100]
        assert {each for part in shown for each in part} == set(Appointment.objects.values_list("fhir_id", flat=True))
        before = desk.get(_link(page, "100 earlier")).context["board"].columns[0]
        assert [card.id for card in before.cards] == shown[0]

    def test_a_step_leaves_one_where_one_was(self, clinic, desk):
        expected = desk.get("/staff/today/?column=booked&first=100").context["board"].columns[0]
        step = {"status": "arrived", "site": clinic.site.fhir_id, "column": "booked", "first": "90"}
        address = f"/staff/appointments/{expected.cards[0].id}/step/"
        answer = desk.post(address, step)
        assert answer.url == f"/staff/today/?site={clinic.site.fhir_id}&column=booked&first=90"
        Appointment.objects.update(status="booked")
        after = desk.post(address, step, headers=HTMX).context["board"]
        assert (after.columns[0].before, len(after.columns[0].cards)) == (90, 100)
        assert [card.id for card in after.columns[1].cards] == [expected.cards[0].id]

    def test_a_step_can_be_taken_back_though_its_column_does_not_show_the_visit(self, clinic, desk):
        rows = Appointment.objects.filter(site=clinic.site)
        last = rows.order_by("start").last()
        rows.exclude(pk=last.pk).update(status="fulfilled")
        Appointment.objects.filter(pk=last.pk).update(status="checked-in")
        step = {"status": "fulfilled", "site": clinic.site.fhir_id, "column": "fulfilled", "first": "0"}
        answer = desk.post(f"/staff/appointments/{last.fhir_id}/step/", step, headers=HTMX)
        assert last.fhir_id not in [card.id for card in answer.context["board"].cards]
        assert answer.context["slip"].id == last.fhir_id
        assert b"Undo</button>" in answer.content

    @pytest.mark.parametrize("find", ["Zoë Zacharias", "zacharias", "zoe zach", "ZOË ZACH", "Jan 2, 1903"])
    def test_somebody_whom_it_does_not_show_is_found_by_what_a_card_says(self, clinic, desk, find):
        visit = Appointment.objects.filter(site=clinic.site).order_by("start", "pk").last()
        patient = PatientFactory(given="Zoë", family="Zacharias", birth_date="1903-01-02")
        Appointment.objects.filter(pk=visit.pk).update(patient=patient)
        shown = desk.get("/staff/today/?column=booked&first=0").context["board"].cards
        assert visit.fhir_id not in [card.id for card in shown]
        place = {"site": clinic.site.fhir_id, "column": "booked", "first": "0"}
        found = desk.post("/staff/today/", {**place, "find": find}, headers=HTMX).context["board"]
        assert [card.id for card in found.cards] == [visit.fhir_id]
        assert found.columns[0].count == 200
        asked_again = {**place, "find": find, "stamp": found.stamp}
        assert desk.post("/staff/today/", asked_again, headers=HTMX).status_code == 204

    def test_of_many_that_are_found_a_part_is_shown_and_the_rest_counted(self, clinic, desk):
        answer = desk.post("/staff/today/", {"site": clinic.site.fhir_id, "find": "dr."}, headers=HTMX)
        assert len(answer.context["board"].columns[0].cards) == 60
        assert b"140 more match." in answer.content
        nobody = desk.post("/staff/today/", {"site": clinic.site.fhir_id, "find": "xylophonist"}, headers=HTMX)
        assert nobody.context["board"].cards == []

    def test_nobody_is_looked_for_by_an_address(self, clinic, desk):
        assert len(desk.get("/staff/today/?find=xylophonist").context["board"].cards) == 60

    def test_only_patients_whose_card_is_shown_are_said_to_have_been_seen(self, clinic, desk):
        shown = desk.get("/staff/today/").context["board"].cards
        lines = AuditEvent.objects.filter(query="board").values_list("patient", flat=True)
        assert set(lines) == {card.appointment.patient_id for card in shown}

    def test_the_file_has_all_of_it(self, clinic, desk):
        answer = desk.get("/staff/today/?download=csv")
        assert len(b"".join(answer.streaming_content).decode().splitlines()) == 201


def _link(page, words):
    """The address of the link with these words; empty without one."""
    found = re.search(rf'href="([^"]+)">{words}<', page.content.decode())
    return found[1].replace("&amp;", "&").partition("#")[0] if found else ""


def test_a_day_is_jumped_to(noon):
    clinic = fill(1, [], now=noon)
    for address in ("/staff/", "/staff/week/", "/staff/month/", "/staff/agenda/"):
        page = desk_of(clinic).get(address, {"date": "2027-03-14"})
        assert b'type="date" name="date" value="2027-03-14"' in page.content


def test_there_is_a_sheet_for_each_person_with_phone_and_birth_date(noon):
    clinic = fill(3, [noon.date()], now=noon)
    answer = desk_of(clinic).get("/staff/sheets/")
    sheets = answer.context["sheets"]
    assert [sheet.name for sheet in sheets] == [str(each.bookable.actor) for each in clinic.calendars]
    assert [sheet.visits for sheet in sheets] == [32, 24, 24]
    patient = sheets[1].entries[0].patient
    assert phone(patient.phone).encode() in answer.content
    assert b"Lunch" in answer.content
    of_site = desk_of(clinic).get("/staff/sheets/", {"site": clinic.site.fhir_id})
    assert len(of_site.context["sheets"]) == 3
    one = {"site": clinic.site.fhir_id, "practitioner": clinic.calendars[2].bookable.actor.reference}
    assert [sheet.name for sheet in desk_of(clinic).get("/staff/sheets/", one).context["sheets"]] == [sheets[2].name]
    other = fill(1, [], now=noon)
    assert desk_of(other).get("/staff/sheets/", {"site": clinic.site.fhir_id}).status_code == 404
