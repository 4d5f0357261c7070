"""The clinic's own texts on the pages of services and times: in the reader's language, or marked with their own."""

import pytest
from pytest_django.asserts import assertContains, assertNotContains

from clinic import translations
from tests.factories import ScheduleFactory, ServiceFactory

SPANISH = {"HTTP_ACCEPT_LANGUAGE": "es"}


@pytest.fixture
def visits(chen, site):
    translations.translate(site.extra, "name", {"es": "Calle Mayor"})
    site.save()
    checkup = ServiceFactory(name="Check-up", comment="A first look.")
    translations.translate(checkup.extra, "name", {"es": "Revisión"})
    checkup.save()
    back = ServiceFactory(name="Back care", comment="For a stronger back.")
    translations.translate(back.extra, "comment", {"es": "Para una espalda más fuerte."})
    back.save()
    ScheduleFactory(actor=chen, services=[checkup, back, ServiceFactory(name="Ultrasound")], site=site)
    return checkup


def test_each_text_is_in_the_readers_language_or_marked_with_its_own(client, visits):
    page = client.get("/", **SPANISH)
    assertContains(page, ">Revisión</a>")
    assertContains(page, '<span lang="en">A first look.</span>')
    assertContains(page, '<span lang="en">Ultrasound</span>')
    assertContains(page, "Calle Mayor")
    assertContains(page, "Para una espalda más fuerte.")
    assertNotContains(page, "For a stronger back.")
    assertNotContains(page, "Check-up")
    english = client.get("/")
    assertContains(english, ">Check-up</a>")
    assertNotContains(english, 'lang="en">A first')


@pytest.mark.parametrize(("searched", "language"), [("revision", "es"), ("revisión", "en"), ("check", "es")])
def test_a_search_finds_the_words_of_every_language(client, visits, searched, language):
    page = client.get("/", {"q": searched}, HTTP_ACCEPT_LANGUAGE=language)
    assertContains(page, f"/book/{visits.fhir_id}/")
    assertNotContains(page, "Ultrasound")


def test_the_times_page_is_headed_in_the_readers_language(client, visits):
    assertContains(client.get(f"/book/{visits.fhir_id}/", **SPANISH), "Revisión")
