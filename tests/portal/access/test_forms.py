"""The forms of staff: a caller whose data would be refused does not get the form either."""

from collections.abc import Iterable

import pytest
from django.http import HttpResponse
from django.urls import reverse
from lxml import html

from clinic.models import StaffRole
from scheduling.access import Role
from tests.factories import LocationFactory, PractitionerFactory, ScheduleFactory, UserFactory
from tests.portal.access.addresses import requests
from tests.portal.access.table import CALENDAR
from tests.portal.access.test_links import NOT_OF_STAFF, REFUSED, account, undone

pytestmark = pytest.mark.django_db

SIGNS_OUT = "staff-kiosk"


def of_staff(things: dict) -> list[tuple[str, str, str, dict]]:
    """Return the name of each address of staff, whose it is, the address, and the data that is posted to it."""
    return [
        (name, row.whose, address, posted)
        for name, row, address, posted in requests(things)
        if posted is not None and row.whose not in NOT_OF_STAFF and name != SIGNS_OUT
    ]


def has_form(response: HttpResponse, address: str) -> bool:
    """True if the page has a form that posts to the address."""
    if response.status_code != 200 or not response["Content-Type"].startswith("text/html"):
        return False
    here = address.partition("?")[0]
    content = response.content.strip()
    forms: Iterable = html.fromstring(content).xpath("//form[@method='post']") if content else ()
    targets = [(form.get("action") or address) for form in forms]
    targets += [button.get("formaction") for form in forms for button in form.xpath(".//*[@formaction]")]
    return any(target.partition("?")[0] == here for target in targets)


@pytest.mark.parametrize("role", [Role.READER, Role.BILLING, Role.ASSISTANT, Role.PRACTITIONER, Role.FRONT_DESK])
def test_no_form_is_shown_to_a_role_that_may_not_send_it(client, clinic, site, chen, role):
    client.force_login(account(role, site, chen))
    wrong = []
    for name, _whose, address, posted in of_staff(clinic):
        with undone():
            status = client.post(address, posted).status_code
        if status in REFUSED and has_form(client.get(address), address):
            wrong.append(name)
    assert wrong == []


FORMS = (
    *("staff-new-visit", "staff-new-block", "staff-move", "staff-suggest", "staff-cancel", "staff-room"),
    *("staff-walk-in", "staff-late", "staff-new-absence", "staff-absence-change", "staff-new-message", "staff-note"),
    *("waiting-list-find", "waiting-list-join"),
)


@pytest.mark.parametrize("role", [Role.READER, Role.BILLING])
def test_the_address_of_a_form_is_refused_to_a_role_that_only_sees(client, clinic, site, chen, role):
    client.force_login(account(role, site, chen))
    addresses = {name: address for name, _whose, address, _posted in of_staff(clinic)}
    answers = {name: client.get(addresses[name]) for name in FORMS}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(FORMS, 403)
    assert "This page is not for your account" in answers["staff-cancel"].content.decode()


@pytest.fixture
def other_practitioner(checkup):
    """A practitioner of another calendar, who reads all calendars."""
    doctor = PractitionerFactory(user=UserFactory())
    ScheduleFactory(actor=doctor, services=[checkup], site=LocationFactory())
    StaffRole.objects.create(user=doctor.user, role=Role.READER)
    return doctor


def test_a_form_about_a_calendar_that_is_only_read_is_refused(client, clinic, other_practitioner):
    client.force_login(other_practitioner.user)
    of_the_calendar = {name: address for name, whose, address, _posted in of_staff(clinic) if whose == CALENDAR}
    shown = [name for name, address in of_the_calendar.items() if has_form(client.get(address), address)]
    assert shown == []
    assert client.get(of_the_calendar["staff-peek"]).status_code == 200


def test_a_form_offers_only_calendars_that_are_run(client, clinic, schedule, other_practitioner):
    client.force_login(other_practitioner.user)
    for page in ("staff-new-visit", "staff-new-block", "staff-new-absence"):
        content = client.get(reverse(f"portal:{page}")).content.decode()
        assert str(other_practitioner.family) in content
        assert schedule.fhir_id not in content


def test_what_is_only_read_is_shown_without_what_changes_it(client, clinic, schedule, other_practitioner):
    client.force_login(other_practitioner.user)
    visit = client.get(reverse("portal:staff-visit", args=[clinic["appointment_id"]])).content.decode()
    peek = client.get(reverse("portal:staff-peek", args=[clinic["appointment_id"]])).content.decode()
    block = client.get(reverse("portal:staff-block", args=[clinic["slot_id"]])).content.decode()
    day = clinic["start"].partition("T")[0]
    agenda = client.get(reverse("portal:agenda"), {"schedule": schedule.fhir_id, "date": day}).content.decode()
    assert "Quinn" in visit
    assert "Quinn" in agenda
    for page, change in ((visit, "What comes next"), (peek, "Move"), (block, "Remove the block"), (agenda, "Move")):
        assert change not in page
