"""Every page against axe, light and dark, on a phone and on a desk; nothing wider than the screen."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from clinic.models import Schedule
from tests.browser.conftest import DESK, PHONE
from tests.factories import AppointmentFactory, SlotFactory, UserFactory

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def busy_clinic(clinic, ada, site):
    """Ada has one visit of each kind, and Dr Chen a day with everything in it."""
    schedule = Schedule.objects.get()
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    common = {"patient": ada, "service": clinic, "site": site}
    for status, days in (("booked", 3), ("fulfilled", -9), ("noshow", -20), ("cancelled", 5)):
        start = now + timedelta(days=days)
        end = start + timedelta(minutes=30)
        AppointmentFactory(status=status, start=start, end=end, schedules=[schedule], **common)
    for number, status in enumerate(("arrived", "checked-in", "booked", "fulfilled", "noshow")):
        start = now + timedelta(hours=number - 2)
        end = start + timedelta(minutes=30)
        AppointmentFactory(status=status, service=clinic, start=start, end=end, schedules=[schedule], site=site)
    SlotFactory(schedule=schedule, status="busy-unavailable", start=now + timedelta(hours=4), comment="Lunch")
    return clinic


def public_pages(service) -> Iterator[str]:
    yield from ("/", f"/book/{service.fhir_id}/", f"/book/{service.fhir_id}/?practitioner=nobody", "/nothing/")
    yield from ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")


def patients_pages(ada) -> Iterator[str]:
    booked = ada.appointments.filter(status="booked").first()
    yield from ("/appointments/", "/staff/")  # the second is refused
    yield from (f"/appointments/{booked.fhir_id}/{step}" for step in ("", "cancel/", "booked/"))


def look_at(page: Page, address: str) -> list[str]:
    """What axe finds serious on a page, and whether one has to scroll sideways."""
    page.goto(address)
    found = Axe().run(page, options=WCAG).response["violations"]
    problems = [
        f"{address}: {each['id']}: {each['nodes'][0]['html']}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        problems.append(f"{address}: wider than the screen")
    return problems


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page(page: Page, busy_clinic, ada, chen, sign_in, violations, scheme, size):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    problems = [each for address in public_pages(busy_clinic) for each in look_at(page, address)]
    page.goto("/accounts/signup/")
    page.get_by_role("button", name="Create account").click()
    problems += look_at(page, page.url)
    sign_in(UserFactory())
    problems += look_at(page, "/details/")
    sign_in(ada.user)
    problems += [each for address in patients_pages(ada) for each in look_at(page, address)]
    page.goto(f"/book/{busy_clinic.fhir_id}/")
    page.locator(".first__time").first.click()
    page.wait_for_url("**/confirm/")
    problems += look_at(page, page.url)
    sign_in(chen.user)
    problems += [each for address in ("/staff/", "/staff/week/") for each in look_at(page, address)]
    assert not problems, "\n".join(problems)
    assert not violations
