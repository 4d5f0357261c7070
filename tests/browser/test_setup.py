"""The set-up of docs/clinic.md, walked by a manager from an empty database, until a patient books the first visit."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import Locator, Page, expect

from clinic.models import Appointment, User
from tests.browser.conftest import DESK
from tests.browser.guests import prove_the_address, say_who

MOST_INPUTS = 40
DOCS = (Path(settings.BASE_DIR) / "docs" / "clinic.md").read_text()
EMAIL, PASSWORD = "manager@example.com", "correct-horse-battery"


class Mouse:
    """A manager's hands, which count what they fill in and click."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.inputs = 0

    def fill(self, label: str, text: str) -> None:
        self.inputs += 1
        self.page.get_by_label(label, exact=True).fill(text)

    def choose(self, label: str, start: str, value: str) -> None:
        self.inputs += 1
        self.page.get_by_label(label, exact=True).select_option(value)

    def press(self, kind: str, name: str | re.Pattern[str]) -> None:
        self.inputs += 1
        self.page.get_by_role(kind, name=name).first.click()
        self.page.wait_for_load_state()


class Keyboard(Mouse):
    """The same by keyboard alone: Tab to the field, then typing or Enter."""

    def fill(self, label: str, text: str) -> None:
        self._tab_to(self.page.get_by_label(label, exact=True))
        self.page.keyboard.type(text)

    def choose(self, label: str, start: str, value: str) -> None:
        field = self.page.get_by_label(label, exact=True)
        self._tab_to(field)
        self.page.keyboard.type(start)
        expect(field).to_have_value(value)

    def press(self, kind: str, name: str | re.Pattern[str]) -> None:
        self._tab_to(self.page.get_by_role(kind, name=name).first)
        self.page.keyboard.press("Enter")
        self.page.wait_for_load_state()

    def _tab_to(self, target: Locator) -> None:
        self.inputs += 1
        expect(target).to_be_visible()
        for _stop in range(90):
            if target.evaluate("each => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {target}.")


def sites(hand: Mouse) -> None:
    hand.fill("Name of the site", "Riverside")
    hand.fill("Street and number", "1 Main Street")
    hand.fill("Postal code", "10001")
    hand.fill("City", "New York")
    hand.fill("State or region", "NY")
    hand.fill("Phone", "+1 212 555 0100")
    hand.choose("Time zone", "New York", "America/New_York")
    hand.press("button", "Add the site")


def people(hand: Mouse) -> None:
    hand.fill("Given names", "Mei")
    hand.fill("Family name", "Chen")
    hand.press("button", "Add the person")


def visits(hand: Mouse) -> None:
    hand.press("link", "General practice")
    hand.press("button", "Add these visits")


def nothing(hand: Mouse) -> None:
    """The step asks for nothing, or is left for later."""


STEPS = {
    "The clinic": nothing,
    "Sites": sites,
    "People": people,
    "Rooms and devices": nothing,
    "Visits": visits,
    "Hours of each person": nothing,
    "Messages": nothing,
    "Preview": nothing,
}


@pytest.fixture
def empty_clinic(transactional_db):
    """A database right after `migrate` and the command of the docs that makes the first manager."""
    assert "`python manage.py createsuperuser`" in DOCS
    call_command("createsuperuser", email=EMAIL, interactive=False, verbosity=0)
    manager = User.objects.get()
    manager.set_password(PASSWORD)
    manager.save()


def test_the_docs_name_the_steps_of_the_set_up_in_their_order():
    section = DOCS.partition("## From nothing to the first visit")[2].partition("\n## ")[0]
    assert re.findall(r"^\d\. \*\*(.+?)\*\*", section, re.MULTILINE) == list(STEPS)


@pytest.mark.parametrize("hands", [Mouse, Keyboard])
@pytest.mark.browser_context_args(viewport=DESK)
def test_from_an_empty_database_to_the_first_visit(page: Page, empty_clinic, hands, violations):
    hand = hands(page)
    page.goto("/accounts/login/")
    hand.fill("Email address", EMAIL)
    hand.fill("Password", PASSWORD)
    hand.press("button", re.compile("^Sign in$"))
    expect(page.get_by_role("heading", name="Set up")).to_be_visible()
    hand.press("link", "Begin")
    for name, do in STEPS.items():
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        do(hand)
        if name != "Preview":
            hand.press("link", re.compile("^Continue: "))
    expect(page.get_by_text("first free time").first).to_be_visible()
    assert page.get_by_text("Cannot be booked").count() == 0
    assert hand.inputs < MOST_INPUTS
    if hands is Mouse:
        book_as_a_patient(page)
    assert not violations


def book_as_a_patient(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/")
    page.get_by_role("link", name="Long consultation").click()
    page.locator(".time").first.click()
    say_who(page)
    page.get_by_role("button", name="Continue").click()
    prove_the_address(page)
    page.get_by_role("button", name=re.compile("^Confirm ")).click()
    expect(page.get_by_role("heading", name="Your visit is booked")).to_be_visible()
    assert Appointment.objects.get().status == "booked"
