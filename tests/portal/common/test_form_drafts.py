"""Typed data on patients' pages survives a mistake, a reload, another language and another time."""

import re
from datetime import date

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Patient
from portal.common import form_drafts
from tests.factories import RelatedPersonFactory
from tests.portal.booking.steps import page_of, visit_page
from tests.portal.eve import GUEST

pytestmark = pytest.mark.django_db


@pytest.fixture
def plain(client):
    """A browser that follows no redirect by itself."""
    return Client.post.__get__(client)


@pytest.fixture
def addresses(client, ada, visit, link):
    """Every form of the patients' pages that has a text field, with its errors."""
    client.force_login(ada.user)
    Patient.objects.filter(pk=ada.pk).update(birth_date=date(1990, 7, 4))
    related = RelatedPersonFactory(user=ada.user)
    name = {"given": "Ana Lucía", "family": ""}
    return {
        "family": ("/family/add/", name, "given"),
        "family, change": (f"/family/{related.fhir_id}/", name, "given"),
        "preferences": ("/preferences/", {"phone": "12", "language": "en"}, "phone"),
        "manage link": (link, {"birth_date_day": "31", "birth_date_month": "2", "birth_date_year": "1985"}, None),
        "cancel": (f"{visit_page(visit)}cancel/", {"reason": "x" * 501}, "reason"),
    }


FORMS = ["family", "family, change", "preferences", "manage link", "cancel"]


@pytest.mark.parametrize("form", FORMS)
def test_a_mistake_is_shown_by_a_get_once_and_what_was_typed_stays(client, plain, addresses, form):
    address, fields, name = addresses[form]
    answer = plain(address, fields)
    assert (answer.status_code, answer.url) == (302, address)
    page = client.get(address)
    assertContains(page, "There is a problem")
    again = client.get(address)
    assertNotContains(again, "There is a problem")
    for shown in (page, again):
        assertContains(shown, fields[name or "birth_date_day"])


@pytest.mark.parametrize("form", FORMS)
def test_another_language_keeps_what_is_typed(client, plain, addresses, form):
    address, fields, name = addresses[form]
    assertContains(client.get(address), 'form="step" name="read-in" value="es"')
    answer = plain(address, {**fields, "read-in": "es"})
    assert (answer.status_code, answer.url) == (302, address)
    page = client.get(address)
    assertContains(page, '<html lang="es"')
    assertContains(page, fields[name or "birth_date_day"])
    assertNotContains(page, "Hay un problema")


@pytest.mark.parametrize("form", FORMS)
def test_enter_sends_the_form_and_does_not_change_the_language(client, addresses, form):
    """The Enter key presses the form's first button, wherever on the page it is."""
    page = client.get(addresses[form][0]).content.decode()
    buttons = re.findall(r'<button[^>]*form="step"[^>]*>', page)
    assert any('name="read-in"' in button for button in buttons)
    assert "name=" not in buttons[0]


def test_the_language_of_messages_follows_the_pages_language(client, plain, held):
    address = page_of(held, "about")
    plain(address, {**GUEST, "language": "en", "read-in": "es"})
    assertContains(client.get(address), '<option value="es" selected>')
    plain(address, {**GUEST, "language": "en", "read-in": "en"})  # the chosen language differs from the page's
    assertContains(client.get(address), '<option value="en" selected>')


def test_on_the_way_to_a_visit_too(client, plain, held):
    address = page_of(held, "about")
    plain(address, {**GUEST, "email": "nobody"})
    assertContains(client.get(address), "Enter an email address such as name@example.com.")
    plain(address, {**GUEST, "given": "Evita", "read-in": "es"})
    page = client.get(address)
    assertContains(page, '<html lang="es"')
    assertContains(page, 'value="Evita"')


def test_another_time_keeps_what_is_typed_and_leaving_forgets_it(client, plain, held, checkup, button_value):
    there = f"/book/{checkup.fhir_id}/hold/"
    answer = plain(page_of(held, "about"), {"given": "Eve", "let-go": "another"})
    assert answer.url == f"/book/{held.service.fhir_id}/"
    held.refresh_from_db()
    assert held.status == "cancelled"
    page = client.post(there, {"time": button_value}, follow=True)
    assertContains(page, 'value="Eve"')
    plain(page.redirect_chain[-1][0], {"given": "Eve", "let-go": "leave"})
    assertNotContains(client.post(there, {"time": button_value}, follow=True), 'value="Eve"')


def test_a_submitted_draft_is_not_shown_again(client, addresses):
    address, fields, _name = addresses["preferences"]
    client.post(address, fields)
    client.post(address, {"phone": "", "language": "en", "by_email": "on"})
    assertNotContains(client.get(address), 'value="12"')


def test_a_language_that_is_none_changes_none(client, plain, addresses):
    address, fields, _name = addresses["family"]
    plain(address, {**fields, "read-in": "xx"})
    assertContains(client.get(address), '<html lang="en"')


def test_drafts_are_bounded_and_keep_no_secret_link(client, plain, addresses, link):
    address, fields, _name = addresses["manage link"]
    plain(address, fields)
    [name] = client.session["typed"]
    assert link.split("/")[2] not in name
    session = client.session
    session["typed"] = {f"page-{n}": {"fields": {}, "wrong": {}, "at": 2e12} for n in range(form_drafts.MOST_PAGES)}
    session.save()
    plain(address, fields)
    assert len(client.session["typed"]) == form_drafts.MOST_PAGES
    session = client.session
    session["typed"] = {name: {"fields": {"birth_date_day": "30"}, "wrong": {}, "at": 0}}
    session.save()
    assertNotContains(client.get(address), 'value="30"')
