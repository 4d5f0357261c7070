"""Items of the worklist are taken, given to a colleague, put back and put off until a day."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.country import clinic_zone
from clinic.models import AuditEvent, StaffRole, WorkItem
from tests.factories import AppointmentFactory, DuplicatePairFactory, LocationFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/staff/to-do/"


@pytest.fixture
def visit(ada, site):
    """A visit of tomorrow that nobody has confirmed."""
    return AppointmentFactory(patient=ada, site=site, start=timezone.now() + timedelta(hours=20))


@pytest.fixture
def dana(site):
    return UserFactory(first_name="Dana", last_name="Reyes", desk_locations=[site])


@pytest.fixture
def as_dana(dana):
    browser = Client()
    browser.force_login(dana)
    return browser


def page_of(visit, page=""):
    return f"{LIST}unconfirmed/{visit.pk}/{page}"


def take(browser, visit, version=0, **more):
    return browser.post(page_of(visit, "owner/"), {"version": version, **more}, follow=True)


def waiting(browser):
    return browser.get("/staff/hours/").context["worklist_count"]


def inputs(until="", owner="", version=0):
    return {"owner": owner, "version": version, "until": until}


def test_who_takes_an_item_has_it_for_all_to_see(as_rana, as_dana, dana, visit, rana):
    assertContains(as_dana.get(LIST), "Nobody has it.")
    answer = take(as_dana, visit, back=f"{LIST}?who=nobody")
    assert answer.redirect_chain == [(f"{LIST}?who=nobody", 302)]
    assertContains(answer, "It is assigned to you now.")
    assertNotContains(answer, "Ada Quinn")
    assertContains(as_dana.get(f"{LIST}?who=mine"), "Ada Quinn")
    assertContains(as_rana.get(LIST), "Dana Reyes has it.")
    assert (waiting(as_dana), waiting(as_rana)) == (1, 0), "the number beside To do is of what is theirs or nobody's"
    line = AuditEvent.objects.get(subtype="item taken")
    assert (line.user, line.appointment) == (dana, visit)


def test_the_second_of_two_is_told_who_has_it(as_rana, as_dana, visit, dana):
    for page in (as_rana.get(LIST), as_dana.get(LIST)):
        assertContains(page, "Take it")
    take(as_dana, visit)
    assertContains(take(as_rana, visit), "Dana Reyes has this already.")
    assert WorkItem.objects.get().owner == dana
    assertContains(take(as_dana, visit), "It is assigned to you now.")


def test_an_item_is_put_back(as_rana, visit):
    take(as_rana, visit)
    answer = take(as_rana, visit, 1, **{"put-back": "1"})
    assertContains(answer, "Nobody is assigned to it now.")
    assertContains(answer, "Nobody has it.")


def test_an_item_is_given_to_a_colleague_who_sees_it(as_rana, as_dana, dana, visit):
    elsewhere = UserFactory(first_name="Kim", desk_locations=[LocationFactory()])
    page = as_rana.get(page_of(visit))
    assertContains(page, "Dana Reyes")
    assertNotContains(page, "Kim")
    assertContains(as_rana.post(page_of(visit), inputs(owner=elsewhere.pk)), "Select a valid choice")
    answer = as_rana.post(page_of(visit), inputs(owner=dana.pk), follow=True)
    assertContains(answer, "Dana Reyes has it.")
    assertContains(as_dana.get(f"{LIST}?who=mine"), "Ada Quinn")


def test_one_who_only_sees_is_no_owner(as_rana, visit, client):
    reader = UserFactory(first_name="Rae")
    StaffRole.objects.create(user=reader, role="reader")
    take(as_rana, visit)
    assertContains(as_rana.post(page_of(visit), inputs(owner=reader.pk, version=1)), "cannot deal with this")
    client.force_login(reader)
    page = client.get(LIST)
    assertContains(page, "Ada Quinn")
    assertNotContains(page, "Give or put off")
    client.post(page_of(visit, "owner/"), {"version": 1})
    assert WorkItem.objects.get().owner != reader


def test_what_is_put_off_waits_again_from_that_day_on(as_rana, visit):
    today = timezone.now().astimezone(clinic_zone()).date()
    for day in (today, today + timedelta(days=91)):
        assertContains(as_rana.post(page_of(visit), inputs(day)), "Choose a day within the next 90 days.")
    as_rana.post(page_of(visit), inputs(today + timedelta(days=1)))
    assert waiting(as_rana) == 0
    assertNotContains(as_rana.get(LIST), "Ada Quinn")
    assertContains(as_rana.get(f"{LIST}?who=later"), "Put off until")
    WorkItem.objects.update(put_off_until=today)
    assert waiting(as_rana) == 1
    assertContains(as_rana.get(LIST), "Ada Quinn")


def test_a_change_of_somebody_else_is_not_overwritten(as_rana, as_dana, visit, rana):
    take(as_dana, visit)
    answer = as_rana.post(page_of(visit), inputs(owner=rana.pk, version=0), follow=True)
    assertContains(answer, "Dana Reyes has this already.")
    assert WorkItem.objects.get().owner.first_name == "Dana"


def test_an_item_that_is_done_is_gone_with_its_owner(as_rana, visit):
    take(as_rana, visit)
    as_rana.post(f"/staff/appointments/{visit.fhir_id}/attendance/", {"from_list": "on", "back": LIST})
    assertNotContains(as_rana.get(f"{LIST}?who=mine"), "Ada Quinn")
    assertContains(take(as_rana, visit, 1), "This is no longer waiting")
    assertContains(as_rana.get(page_of(visit), follow=True), "This is no longer waiting")


def test_who_has_left_holds_nothing(as_rana, as_dana, dana, visit):
    take(as_dana, visit)
    dana.is_active = False
    dana.save()
    assertContains(as_rana.get(f"{LIST}?who=nobody"), "Ada Quinn")
    assertNotContains(as_rana.get(LIST), "Dana Reyes has it.")


def test_the_list_is_filtered_by_site_and_kind(as_rana, rana, site, visit):
    other = LocationFactory(name="Harbour")
    rana.desk_locations.add(other)
    AppointmentFactory(patient=PatientFactory(given="Bolette"), site=other, start=visit.start)
    DuplicatePairFactory(first=PatientFactory(given="Cyrus"), second=PatientFactory(given="Delia"))
    page = as_rana.get(LIST)
    for name in ("Ada", "Bolette", "Cyrus"):
        assertContains(page, name)
    page = as_rana.get(f"{LIST}?site={other.fhir_id}")
    assertContains(page, "Bolette")
    for name in ("Ada", "Cyrus"):
        assertNotContains(page, name)
    page = as_rana.get(f"{LIST}?kind=duplicate")
    assertContains(page, "Cyrus")
    assertNotContains(page, "Ada")
    assert as_rana.get(f"{LIST}?kind=unknown").status_code == 404
    assert as_rana.get(f"{LIST}?site={LocationFactory().fhir_id}").status_code == 404


def test_a_long_part_leads_to_all_of_it(as_rana, site, visit, monkeypatch):
    monkeypatch.setattr("portal.staff.worklist.worklist.PREVIEW", 1)
    monkeypatch.setattr("portal.staff.worklist.worklist.ON_A_PAGE", 2)
    for minutes in (1, 2):
        AppointmentFactory(patient=PatientFactory(), site=site, start=visit.start + timedelta(minutes=minutes))
    page = as_rana.get(LIST)
    assertContains(page, "Show all 3")
    assert len(page.context["worklist"].visits) == 1
    page = as_rana.get(f"{LIST}?kind=unconfirmed")
    assertContains(page, "Next page")
    assert len(page.context["worklist"].visits) == 2
    page = as_rana.get(f"{LIST}?kind=unconfirmed&page=2")
    assertContains(page, "Previous page")
    assert len(page.context["worklist"].visits) == 1
