"""The board in a browser: by keyboard alone, with changes by others, and without JavaScript."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Appointment, Schedule
from scheduling import booking
from scheduling.access import Caller
from tests.browser.conftest import DESK
from tests.factories import AppointmentFactory, PatientFactory

A_REFRESH = 5_000


@pytest.fixture
def visits(clinic, site):
    """Three visits that should have begun a little while ago, one minute apart."""
    schedule = Schedule.objects.get()
    now = timezone.now()
    people = [PatientFactory(given=given, family=family) for given, family in NAMES]
    return [
        AppointmentFactory(
            patient=person,
            service=clinic,
            site=site,
            start=now + timedelta(minutes=number - 4),
            end=now + timedelta(minutes=number - 3),
            schedules=[schedule],
        )
        for number, person in enumerate(people)
    ]


NAMES = (("Elena", "Marquez"), ("Felix", "Turner"), ("Yuki", "Petrov"))


@pytest.fixture
def board(page: Page, visits, rana, sign_in):
    sign_in(rana)
    page.set_viewport_size(DESK)
    page.goto("/staff/today/")
    return page


def column(page: Page, name: str):
    return page.get_by_role("region", name=name)


def button(page: Page, step: str, person: str):
    return page.get_by_role("button", name=re.compile(f"^{step} ?: {person}"))


def name_of(page: Page, person: str):
    return page.get_by_role("link", name=person)


def test_a_day_by_keyboard_alone(board: Page, visits, violations):
    board.keyboard.press("ArrowDown")
    expect(name_of(board, "Elena Marquez")).to_be_focused()
    for key, where in (("a", "Arrived"), ("r", "In room"), ("d", "Done")):
        board.keyboard.press(key)
        expect(column(board, where).get_by_role("link", name="Elena Marquez")).to_be_focused()
    board.keyboard.press("ArrowUp")
    expect(name_of(board, "Yuki Petrov")).to_be_focused()
    board.keyboard.press("n")
    expect(column(board, "No-show").get_by_role("link", name="Yuki Petrov")).to_be_focused()
    expect(board.locator("#announcement")).to_have_text("Yuki Petrov: No-show")
    board.keyboard.press("u")
    expect(column(board, "Expected").get_by_role("link", name="Yuki Petrov")).to_be_focused()
    assert list(Appointment.objects.order_by("start").values_list("status", flat=True)) == [
        "fulfilled",
        "booked",
        "booked",
    ]
    board.keyboard.press("Enter")
    expect(board.get_by_role("heading", level=1, name="Yuki Petrov")).to_be_visible()
    assert not violations


def test_keys_do_nothing_where_they_are_not_meant(board: Page):
    board.keyboard.press("a")
    board.get_by_label("Find on the board").press_sequentially("adrnu")
    board.get_by_label("Find on the board").clear()
    name_of(board, "Elena Marquez").focus()
    sent: list[str] = []
    board.on("request", lambda request: sent.append(request.method))
    board.keyboard.press("d")  # an expected patient has not arrived yet
    expect(name_of(board, "Elena Marquez")).to_be_focused()
    assert "POST" not in sent
    assert set(Appointment.objects.values_list("status", flat=True)) == {"booked"}


def test_a_step_can_be_undone_with_the_mouse(board: Page, visits):
    button(board, "In room", "Elena Marquez").click()
    expect(column(board, "In room").get_by_role("link", name="Elena Marquez")).to_be_visible()
    board.get_by_role("button", name="Undo").click()
    expect(column(board, "Expected").get_by_role("link", name="Elena Marquez")).to_be_focused()
    expect(board.get_by_role("button", name="Undo")).to_have_count(0)


def test_changes_by_others_appear_within_seconds_and_disturb_no_input(board: Page, visits, rana):
    button(board, "Arrived", "Elena Marquez").click()
    expect(board.get_by_role("button", name="Undo")).to_be_visible()
    button(board, "No-show", "Yuki Petrov").focus()
    with board.expect_request(re.compile("stamp="), timeout=A_REFRESH):
        booking.change_status(visits[1].fhir_id, "arrived", caller=Caller(user=rana), now=timezone.now())
    expect(column(board, "Arrived").get_by_role("link", name="Felix Turner")).to_be_visible()
    expect(board.get_by_role("button", name="Undo")).to_be_visible()
    expect(button(board, "No-show", "Yuki Petrov")).to_be_focused()


def test_somebody_is_found_on_it(board: Page):
    find = board.get_by_label("Find on the board")
    find.fill("turn")
    expect(name_of(board, "Felix Turner")).to_be_visible()
    expect(name_of(board, "Elena Marquez")).to_be_hidden()
    find.fill("nobody of that name")
    expect(board.get_by_text("No visit on the board matches.")).to_be_visible()
    find.fill("")
    expect(name_of(board, "Elena Marquez")).to_be_visible()


@pytest.mark.parametrize("words", ["siobhan", "Siobhán", "obrien", "O'Brien", "nunez", "lukasik", "Łukasik"])
def test_a_name_is_found_however_it_is_typed(board: Page, visits, words):
    irish = PatientFactory(given="Siobhán", family="O\u2019Brien-Núñez Łukasik")
    Appointment.objects.filter(pk=visits[0].pk).update(patient=irish)
    board.reload()
    board.get_by_label("Find on the board").fill(words)
    expect(name_of(board, "Siobhán O\u2019Brien-Núñez Łukasik")).to_be_visible()
    expect(name_of(board, "Felix Turner")).to_be_hidden()


def test_a_step_that_somebody_took_first_is_refused_in_words(board: Page, visits, rana):
    board.route("**/staff/today/**", lambda route: route.abort())  # nothing new is announced
    booking.change_status(visits[0].fhir_id, "fulfilled", caller=Caller(user=rana), now=timezone.now())
    button(board, "Arrived", "Elena Marquez").click()
    expect(board.locator("#announcement")).to_have_text("This visit was changed in the meantime. It is now: Done")
    expect(board.locator(".toast")).to_be_in_viewport()
    expect(column(board, "Done").get_by_role("link", name="Elena Marquez")).to_be_visible()


def test_a_lost_connection_is_said(board: Page, visits):
    board.context.set_offline(True)
    button(board, "Arrived", "Elena Marquez").click()
    expect(board.get_by_text("The connection is lost.").first).to_be_visible()
    board.context.set_offline(False)
    button(board, "Arrived", "Elena Marquez").click()
    expect(column(board, "Arrived").get_by_role("link", name="Elena Marquez")).to_be_visible()
    expect(board.locator("[data-board-offline]")).to_be_hidden()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_each_step_is_a_page(board: Page, visits):
    expect(board.get_by_label("Find on the board")).to_be_hidden()
    for step, where in (("Arrived", "Arrived"), ("In room", "In room"), ("Done", "Done")):
        button(board, step, "Elena Marquez").click()
        expect(column(board, where).get_by_role("link", name="Elena Marquez")).to_be_visible()
    name_of(board, "Elena Marquez").click()
    board.get_by_role("button", name="Back to Booked").click()
    expect(board.get_by_role("button", name="Arrived")).to_be_visible()
    assert Appointment.objects.get(pk=visits[0].pk).status == "booked"
