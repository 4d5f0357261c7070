"""The language of the pages: chosen by a button, kept by the browser, and by the patient's record."""

import pytest
from django.conf import settings
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def choose(client, language, came_from="http://testserver/"):
    return client.post("/language/", {"language": language}, headers={"referer": came_from})


def test_each_other_language_is_a_button_in_its_own_words(client):
    page = client.get("/")
    assertContains(page, '<button type="submit" name="language" value="es" lang="es">Español</button>', html=True)
    assertNotContains(page, 'lang="en">English')


def test_choosing_one_keeps_the_page(client, checkup, schedule):
    here = f"http://testserver/book/{checkup.fhir_id}/?week=2026-11-23"
    assert choose(client, "es", here).url == here
    page = client.get("/accounts/login/")
    assertContains(page, '<html lang="es"')
    assertContains(page, "Iniciar sesión")
    assertContains(page, "English")


def test_a_browser_that_prefers_spanish_gets_it(client):
    assertContains(client.get("/", headers={"accept-language": "es-MX,es;q=0.9"}), "¿Qué necesita?")


def test_a_foreign_next_address_is_ignored(client):
    assertRedirects(choose(client, "es", "https://elsewhere.example/"), "/", fetch_redirect_response=False)


def test_a_get_changes_nothing(client):
    assert client.get("/language/", {"language": "es"}).status_code == 405


def test_a_patient_is_written_to_in_the_language_they_chose(as_ada, ada):
    choose(as_ada, "es")
    ada.refresh_from_db()
    assert ada.language == "es"


def test_a_language_that_we_do_not_have_is_not_kept(as_ada, ada):
    choose(as_ada, "xx")
    ada.refresh_from_db()
    assert ada.language == ""
    assert settings.LANGUAGE_COOKIE_NAME not in as_ada.cookies


def test_signing_in_on_a_new_browser_brings_the_patients_language(client, ada):
    ada.language = "es"
    ada.save()
    client.post("/accounts/login/", {"login": ada.user.email, "password": "secret-password"})
    assertContains(client.get("/"), "¿Qué necesita?")


def test_but_what_was_chosen_in_this_browser_stays(client, ada):
    ada.language = "es"
    ada.save()
    choose(client, "en")
    client.post("/accounts/login/", {"login": ada.user.email, "password": "secret-password"})
    assertContains(client.get("/"), "What do you need?")


def test_people_without_a_record_choose_too(client):
    client.force_login(UserFactory())
    choose(client, "es")
    assertContains(client.get("/"), "¿Qué necesita?")
