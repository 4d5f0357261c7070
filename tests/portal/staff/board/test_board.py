"""The board of the visits of today, or of another day."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.fhir.datatypes import instant
from clinic.models import Encounter
from portal.staff.board.cards import VisitCard
from tests.api.conftest import api_with
from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    CommunicationFactory,
    EncounterFactory,
    LocationFactory,
    PatientFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def today():
    """Noon in New York, today."""
    return datetime.combine(timezone.now().astimezone(ZoneInfo(NEW_YORK)).date(), time(12), ZoneInfo(NEW_YORK))


@pytest.fixture
def visit(ada, checkup, schedule, site, today):
    end = today + timedelta(minutes=30)
    return AppointmentFactory(patient=ada, service=checkup, start=today, end=end, schedules=[schedule], site=site)


@pytest.fixture
def desk(client, site):
    client.force_login(UserFactory(desk_locations=[site]))
    return client


def columns(response):
    return {column.status: [card.id for card in column.cards] for column in response.context["board"].columns}


def step(client, visit, status, headers=None, **more):
    return client.post(f"/staff/appointments/{visit.fhir_id}/step/", {"status": status, **more}, headers=headers)


def test_an_empty_day_says_so(desk):
    assertContains(desk.get("/staff/today/"), "No visits today")


def test_it_shows_who_is_expected(desk, visit, ada):
    page = desk.get("/staff/today/")
    assert columns(page)["booked"] == [visit.fhir_id]
    assertContains(page, ada.family)
    assertContains(page, "Riverside Main Street (New York time)")


def test_a_card_has_the_name_that_counts_and_the_practitioner_that_software_did_not_name(
    desk, checkup, schedule, chen, today
):
    checkup.minimum_notice = timedelta(0)  # it may be just before noon
    checkup.save()
    api = api_with()
    names = [{"use": "maiden", "family": "Maidenly"}, {"use": "official", "family": "Quinn", "given": ["Mia"]}]
    mia = api.post("Patient", {"resourceType": "Patient", "name": names, "birthDate": "1980-05-01"}).fhir
    slot = SlotFactory(schedule=schedule, start=today, end=today + timedelta(minutes=30))
    actors = (f"Patient/{mia['id']}", chen.reference)
    made = api.post(
        "Appointment",
        {
            "resourceType": "Appointment",
            "status": "booked",
            "start": instant(slot.start),
            "end": instant(slot.end),
            "slot": [{"reference": slot.reference}],
            "participant": [{"actor": {"reference": actor}, "status": "accepted"} for actor in actors],
        },
    )
    assert made.status_code == 201, made.fhir
    page = desk.get("/staff/today/")
    for name in ("Mia Quinn", str(chen)):
        assertContains(page, name)
    assertNotContains(page, "Maidenly")


def test_other_days_and_other_sites_are_not_on_it(desk, checkup, today, site):
    AppointmentFactory(service=checkup, site=site, start=today + timedelta(days=1))
    AppointmentFactory(service=checkup, site=LocationFactory(), start=today)
    assertContains(desk.get("/staff/today/"), "No visits today")


@pytest.mark.parametrize(
    ("steps", "column", "encounter"),
    [
        (["arrived"], "arrived", "arrived"),
        (["arrived", "checked-in"], "checked-in", "in-progress"),
        (["arrived", "checked-in", "fulfilled"], "fulfilled", "finished"),
        (["noshow"], "noshow", None),
    ],
)
def test_each_press_is_one_step(desk, visit, site, steps, column, encounter):
    for status in steps:
        assertRedirects(step(desk, visit, status, site=site.fhir_id), f"/staff/today/?site={site.fhir_id}")
    assert columns(desk.get("/staff/today/"))[column] == [visit.fhir_id]
    assert Encounter.objects.values_list("status", flat=True).first() == encounter


def test_a_slip_is_taken_back(desk, visit, site):
    step(desk, visit, "arrived", site=site.fhir_id)
    step(desk, visit, "booked", site=site.fhir_id, back="on")
    assert columns(desk.get("/staff/today/"))["booked"] == [visit.fhir_id]
    assert Encounter.objects.get().status == "cancelled"


def test_a_no_show_who_arrives_starts_again(desk, visit, site):
    for status, back in (("arrived", ""), ("booked", "on"), ("arrived", "")):
        step(desk, visit, status, site=site.fhir_id, back=back)
    encounter = Encounter.objects.get()
    assert (encounter.status, encounter.end) == ("arrived", None)


def test_a_step_that_does_not_follow_is_refused_in_words(desk, visit, site):
    step(desk, visit, "fulfilled", site=site.fhir_id)
    page = desk.post(
        f"/staff/appointments/{visit.fhir_id}/step/", {"status": "arrived", "site": site.fhir_id}, headers=HTMX
    )
    assertContains(page, "This visit was changed in the meantime. It is now: Done")


@pytest.mark.parametrize(
    ("before", "after"), [("booked", "arrived"), ("arrived", "checked-in"), ("checked-in", "fulfilled")]
)
def test_every_step_can_be_undone(desk, visit, site, before, after):
    visit.status = before
    visit.save()
    answer = desk.post(
        f"/staff/appointments/{visit.fhir_id}/step/", {"status": after, "site": site.fhir_id}, headers=HTMX
    )
    step(desk, visit, answer.context["was"], site=site.fhir_id, back="on")
    assert columns(desk.get("/staff/today/"))[before] == [visit.fhir_id]


def test_a_visit_that_has_not_begun_is_no_no_show(checkup, site, today):
    visit = AppointmentFactory(service=checkup, site=site, start=today)
    steps = [
        [step.key for step in VisitCard(visit, ZoneInfo(NEW_YORK), today + ahead).steps]
        for ahead in (timedelta(days=-1), timedelta(minutes=-1), timedelta(0))
    ]
    assert steps == [[], ["a", "r"], ["a", "r", "n"]]


@pytest.mark.parametrize(
    ("status", "in_the_night", "next_day"),
    [("booked", "arn", "dn"), ("arrived", "rdn", "dn"), ("checked-in", "d", "d"), ("fulfilled", "", "")],
)
def test_after_the_day_only_how_a_visit_ended_can_be_said(checkup, site, today, status, in_the_night, next_day):
    visit = AppointmentFactory(service=checkup, site=site, start=today, status=status)
    five, seven = (today.replace(hour=hour) + timedelta(days=1) for hour in (5, 7))
    keys = ["".join(step.key for step in VisitCard(visit, ZoneInfo(NEW_YORK), at).steps) for at in (five, seven)]
    assert keys == [in_the_night, next_day]


def test_a_coming_day_is_there_to_read(desk, visit, checkup, site, today):
    yesterday, tomorrow, after = (today + timedelta(days=n) for n in (-1, 1, 2))
    other = AppointmentFactory(service=checkup, site=site, start=tomorrow)
    assertContains(desk.get("/staff/today/"), f"?date={yesterday.date()}")
    page = desk.get("/staff/today/", {"date": tomorrow.date()})
    assert columns(page)["booked"] == [other.fhir_id]
    assertNotContains(page, "formaction")
    assertContains(page, f"?date={today.date()}")
    assertContains(page, f"?date={after.date()}")
    assertContains(desk.get("/staff/today/", {"date": after.date()}), "No visits on this day")


def test_a_past_day_is_settled_without_leaving_it(desk, checkup, site, today):
    day = (today - timedelta(days=3)).date()
    visit = AppointmentFactory(service=checkup, site=site, start=today - timedelta(days=3))
    page = desk.get("/staff/today/", {"date": day})
    [card] = page.context["board"].cards
    assert ([step.key for step in card.steps], card.is_late) == (["d", "n"], False)
    fields = {"site": site.fhir_id, "date": day}
    assertRedirects(step(desk, visit, "noshow", **fields), f"/staff/today/?site={site.fhir_id}&date={day}")
    assert columns(step(desk, visit, "booked", headers=HTMX, back="on", **fields))["booked"] == [visit.fhir_id]


def test_an_open_page_goes_on_with_its_own_day(desk, site, today):
    day = (today + timedelta(days=1)).date()
    of_site = f"site={site.fhir_id}"
    for date, query in ((day, f"{of_site}&date={day}"), (today.date(), of_site), ("never", of_site)):
        page = desk.get("/staff/today/", {"date": date})
        assert page.context["board"].query == query
        assertContains(page, f'data-board="/staff/today/?{query.replace("&", "&amp;")}"')


def test_a_refusal_is_said_once(desk, visit, site):
    step(desk, visit, "fulfilled", site=site.fhir_id)
    step(desk, visit, "arrived", site=site.fhir_id)
    assertContains(desk.get("/staff/today/"), "It is now: Done", count=1)


@pytest.mark.parametrize(("language", "words"), [("en", "It is now: Arrived"), ("es", "Estado actual: Ha llegado")])
def test_a_step_that_a_colleague_has_just_recorded_is_answered_kindly(desk, visit, site, language, words):
    step(desk, visit, "arrived", site=site.fhir_id)
    page = step(desk, visit, "arrived", site=site.fhir_id, headers={**HTMX, "Accept-Language": language})
    assertContains(page, words)
    assertContains(page, "data-board-toast")
    assertNotContains(page, "Undo")


def test_a_longer_wait_is_a_change(desk, visit, site):
    step(desk, visit, "arrived", site=site.fhir_id)
    stamp = desk.get("/staff/today/").context["board"].stamp
    Encounter.objects.update(start=timezone.now() - timedelta(minutes=5))
    assertContains(desk.get("/staff/today/", {"stamp": stamp}, headers=HTMX), "waiting 5 minutes")


def test_the_wait_starts_again_after_the_nurse(desk, visit, site):
    step(desk, visit, "arrived", site=site.fhir_id)
    now = timezone.now()
    Encounter.objects.update(status="finished", start=now - timedelta(minutes=30), end=now - timedelta(minutes=8))
    EncounterFactory(appointment=visit, status="arrived", start=now - timedelta(minutes=7))
    assertContains(desk.get("/staff/today/"), "waiting 7 minutes")


def test_without_leaving_the_page_it_offers_to_take_the_step_back(desk, visit, site):
    answer = desk.post(
        f"/staff/appointments/{visit.fhir_id}/step/", {"status": "arrived", "site": site.fhir_id}, headers=HTMX
    )
    assertContains(answer, "data-board-toast")
    assertContains(answer, "Undo</button>")
    assert answer.context["was"] == "booked"


def test_asked_again_it_says_nothing_until_something_changes(desk, visit, site):
    stamp = desk.get("/staff/today/").context["board"].stamp
    assert desk.get("/staff/today/", {"stamp": stamp}, headers=HTMX).status_code == 204
    step(desk, visit, "arrived", site=site.fhir_id)
    assert desk.get("/staff/today/", {"stamp": stamp}, headers=HTMX).status_code == 200


def test_a_message_that_failed_is_said(desk, visit, ada, site):
    start = timezone.now() + timedelta(days=1)
    tomorrow = AppointmentFactory(patient=ada, site=site, start=start)
    CommunicationFactory(appointment=tomorrow, status="not-done", attempts=5, status_reason="No such number")
    assertContains(desk.get("/staff/today/"), "1 message about an upcoming visit could not be sent.")
    assertContains(desk.get("/staff/to-do/"), "No such number")


@pytest.mark.parametrize("who", ["ada", "other desk"])
def test_others_neither_see_nor_step(client, visit, site, ada, who):
    client.force_login(ada.user if who == "ada" else UserFactory(desk_locations=[LocationFactory()]))
    assert step(client, visit, "arrived").status_code in (403, 404)
    visit.refresh_from_db()
    assert visit.status == "booked"
    assert client.get("/staff/today/", {"site": site.fhir_id}).status_code in (403, 404)


def test_a_practitioner_sees_their_own_day(client, chen, visit, schedule, checkup, site, today):
    chen.user = UserFactory()
    chen.save()
    AppointmentFactory(service=checkup, site=site, start=today)
    client.force_login(chen.user)
    assert columns(client.get("/staff/today/"))["booked"] == [visit.fhir_id]


def test_it_asks_as_much_for_a_full_day_as_for_one_visit(
    desk, visit, checkup, site, today, django_assert_max_num_queries
):
    with django_assert_max_num_queries(20) as few:
        desk.get("/staff/today/")
    for n in range(6):
        AppointmentFactory(patient=PatientFactory(), service=checkup, site=site, start=today + timedelta(minutes=n))
    with django_assert_max_num_queries(len(few)):
        assertNotContains(desk.get("/staff/today/"), "No visits today")
