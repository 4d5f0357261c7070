"""Questions before a visit in a browser: saved while typing, with and without JavaScript, by keyboard, by axe."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import QuestionnaireResponse
from demo.seed.questionnaire import TRAVEL_HEALTH
from tests.browser.accessibility import look_everywhere
from tests.factories import AppointmentFactory, QuestionnaireFactory, ServiceFactory


@pytest.fixture
def held(transactional_db, ada, site):
    form = QuestionnaireFactory(title="Before your travel health visit", item=TRAVEL_HEALTH)
    service = ServiceFactory(name="Travel health visit", questionnaires=[form])
    soon = timezone.now() + timedelta(minutes=20)
    return AppointmentFactory(
        service=service,
        patient=ada,
        site=site,
        status="pending",
        hold_expires_at=soon,
        start=soon + timedelta(days=3),
    )


@pytest.fixture
def questions(page: Page, held, ada, sign_in):
    sign_in(ada.user)
    page.goto(f"/appointments/{held.fhir_id}/questions/")
    return page


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()


def is_at_part(page: Page, number: int) -> None:
    """Wait until the part is visible and its script listens to input."""
    expect(page.get_by_text(f"Part {number} of 4")).to_be_visible()
    page.wait_for_load_state()


def answer_the_first_part(page: Page) -> None:
    page.get_by_label("No", exact=True).check()
    go_on(page)
    is_at_part(page, 2)


def leave_on(page: Page, day: str) -> None:
    date = page.get_by_role("group", name="When do you leave?")
    for part, text in (("Day", day), ("Month", "2"), ("Year", "2027")):
        date.get_by_label(part).fill(text)


def test_an_alarm_is_told_at_once_and_stops_the_booking(questions: Page, violations):
    page = questions
    page.get_by_label("Yes, and I have it now").check()
    expect(page.get_by_role("alert")).to_contain_text("call the clinic today")
    go_on(page)
    expect(page.get_by_role("heading", name="Please stop and read this")).to_be_visible()
    page.get_by_role("link", name="I answered by mistake").click()
    answer_the_first_part(page)
    assert not violations


def test_typed_answers_survive_leaving_the_page(questions: Page, held):
    page = questions
    answer_the_first_part(page)
    page.get_by_role("textbox", name="Which countries").fill("Kenya")
    leave_on(page, "31")
    expect(page.get_by_text("Saved ")).to_be_visible()
    page.goto("/")
    page.goto(f"/appointments/{held.fhir_id}/questions/")
    expect(page.get_by_role("textbox", name="Which countries")).to_have_value("Kenya")
    expect(page.get_by_role("group", name="When do you leave?").get_by_label("Day")).to_have_value("31")
    assert QuestionnaireResponse.objects.get().status == "in-progress"


def test_a_question_comes_up_while_one_answers_and_a_file_is_kept(questions: Page, held):
    page = questions
    answer_the_first_part(page)
    page.get_by_role("textbox", name="Which countries").fill("Kenya")
    page.get_by_role("button", name="Add another").click()
    expect(page.get_by_role("textbox", name="answer 2")).to_be_focused()
    page.keyboard.type("Peru")
    page.locator("input[type=file]").set_input_files(
        {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    go_on(page)
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    leave_on(page, "28")
    go_on(page)
    is_at_part(page, 3)
    which = page.get_by_label("To what, and what happens?")
    expect(which).to_be_hidden()
    page.get_by_role("group", name="Are you allergic").get_by_label("Yes").check()
    expect(which).to_be_visible()
    which.fill("Nuts")
    go_on(page)
    go_on(page)
    page.wait_for_url("**/confirm/")
    response = QuestionnaireResponse.objects.get()
    given = {each["linkId"]: each["answer"] for each in response.item[1]["item"]}
    assert response.status == "completed"
    assert given["countries"] == [{"valueString": "Kenya"}, {"valueString": "Peru"}]
    assert given["itinerary"][0]["valueAttachment"]["title"] == "plan.pdf"


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript(questions: Page):
    page = questions
    answer_the_first_part(page)
    page.get_by_role("textbox", name="Which countries").fill("Kenya")
    leave_on(page, "28")
    go_on(page)
    page.get_by_role("group", name="Are you allergic").get_by_label("Yes").check()
    go_on(page)
    expect(page.get_by_text("Because of your answers we ask one more question.")).to_be_visible()
    page.get_by_label("To what, and what happens?").fill("Nuts")
    go_on(page)
    go_on(page)
    page.wait_for_url("**/confirm/")
    assert QuestionnaireResponse.objects.get().status == "completed"


def test_by_keyboard_alone(questions: Page):
    page = questions
    page.get_by_label("No", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Part 2 of 4")).to_be_visible()
    page.get_by_role("textbox", name="Which countries").focus()
    page.keyboard.type("Kenya")
    page.keyboard.press("Enter")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="When do you leave?").get_by_label("Month")).to_be_focused()


def test_the_pages_for_everyone(questions: Page, held):
    page = questions
    problems = look_everywhere(page, "the first part")
    go_on(page)
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    problems += look_everywhere(page, "the first part, with errors")
    for number in (2, 3, 4):
        page.goto(f"/appointments/{held.fhir_id}/questions/{number}/")
        problems += look_everywhere(page, f"part {number}")
    go_on(page)
    page.goto(f"/appointments/{held.fhir_id}/questions/1/")
    page.get_by_label("Yes, and I have it now").check()
    go_on(page)
    page.wait_for_url("**/stop/")
    problems += look_everywhere(page, "the alarm")
    page.goto(f"/appointments/{held.fhir_id}/answers/")
    problems += look_everywhere(page, "the answers")
    assert not problems, "\n".join(problems)
