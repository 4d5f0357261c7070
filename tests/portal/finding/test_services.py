"""The first page: the services, the search, and the links to their times."""

import pytest
from django.utils import translation
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.translations import translate
from clinic.visit_place import site_and_town
from tests.factories import (
    LocationFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    ScheduleFactory,
    ServiceFactory,
    concept,
)

pytestmark = pytest.mark.django_db


def names(page):
    return [each.name for each in page.context["catalogue"].found]


@pytest.fixture
def visits():
    """Services of all kinds."""
    return [
        ServiceFactory(name="First visit", eligibility="new"),
        ServiceFactory(name="Follow-up", eligibility="returning"),
        ServiceFactory(name="Advice", telehealth=True, comment="Fièvre, toux: parlez à un médecin."),
        ServiceFactory(name="Vaccination", type=[concept("flu", "Influenza")]),
    ]


def test_it_says_what_a_visit_is_how_long_and_how(client):
    ServiceFactory(name="Check-up", comment="A first look.", questionnaires=[QuestionnaireFactory()])
    ServiceFactory(name="Advice", telehealth=True, duration=75)
    page = client.get("/")
    for words in ("Check-up", "A first look.", "30 minutes", "In person", "By video", "1 hour 15 minutes"):
        assertContains(page, words)
    assertContains(page, "With a few questions before the visit", count=1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"requires_coverage": True}, "Needs active health insurance"),
        ({"requires_care_team": True}, "Only with your care team"),
        ({"pricing": "fixed", "price": 4000}, "$40.00"),
        ({"eligibility": "new"}, "For new patients"),
        ({"eligibility": "returning"}, "For patients who have been here before"),
    ],
)
def test_it_says_before_what_a_visit_requires(client, fields, words):
    asking = ServiceFactory(**fields)
    ServiceFactory()
    assertContains(client.get("/"), words, count=1)
    assertContains(client.get(f"/book/{asking.fhir_id}/"), words, count=1)


def test_it_says_before_that_there_is_a_form_to_fill_in(client):
    ServiceFactory(requires_questionnaires=True, questionnaires=[QuestionnaireFactory()])
    ServiceFactory(requires_questionnaires=True)
    assertContains(client.get("/"), "With a form to fill in before you book", count=1)


def test_it_says_what_to_do_in_an_emergency(client, visits):
    assertContains(client.get("/"), 'class="emergency"')


def test_it_hides_what_patients_cannot_book(client):
    ServiceFactory(name="Surgery", bookable_by="staff")
    ServiceFactory(name="Retired", active=False)
    page = client.get("/")
    assertNotContains(page, "Surgery")
    assertNotContains(page, "Retired")
    assertContains(page, "Nothing can be booked here at the moment")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Advice", "First visit", "Follow-up", "Vaccination"]),
        ({"q": "follow UP"}, ["Follow-up"]),
        ({"q": "fievre"}, ["Advice"]),
        ({"q": "influenza"}, ["Vaccination"]),
        ({"q": "teeth"}, []),
        ({"eligibility": "new"}, ["Advice", "First visit", "Vaccination"]),
        ({"eligibility": "returning"}, ["Advice", "Follow-up", "Vaccination"]),
        ({"eligibility": "nobody"}, ["Advice", "First visit", "Follow-up", "Vaccination"]),
        ({"by": "video"}, ["Advice"]),
        ({"by": "person"}, ["First visit", "Follow-up", "Vaccination"]),
        ({"by": "person", "eligibility": "new", "q": "visit"}, ["First visit"]),
    ],
)
def test_one_finds_what_one_looks_for(client, visits, query, found):
    assert names(client.get("/", query)) == found


def test_the_search_text_stays(client, visits):
    ServiceFactory(name="Eyes")
    page = client.get("/", {"q": "visit", "eligibility": "new", "by": "person"})
    assertContains(page, 'name="q" value="visit"')
    assertContains(page, 'name="eligibility" value="new" checked')
    assertContains(page, 'name="by" value="person" checked')


def test_nothing_found_is_said_with_a_way_on(client, visits):
    page = client.get("/", {"q": "teeth"})
    assertContains(page, "No visit matches “teeth”")
    assertContains(page, "See all visits")


def test_filters_without_effect_are_not_shown(client):
    ServiceFactory.create_batch(2)
    page = client.get("/")
    for name in ("q", "eligibility", "by"):
        assertNotContains(page, f'name="{name}"')


def test_htmx_gets_the_visits_alone_and_how_many(client, visits):
    part = client.get("/", {"q": "visit"}, headers={"HX-Request": "true"})
    assertNotContains(part, "<html")
    assertContains(part, "1 visit found")
    assert "HX-Request" in part.headers["Vary"]


def test_a_choice_of_one_is_no_question(client):
    only = ServiceFactory(name="Check-up", comment="A first look.")
    page = client.get("/", follow=True)
    assertRedirects(page, f"/book/{only.fhir_id}/")
    assertNotContains(page, "All visits")
    assertContains(page, "A first look.")
    assertContains(page, 'class="emergency"')


def test_the_way_back_is_there_where_there_is_a_choice(client, visits):
    assertContains(client.get(f"/book/{visits[0].fhir_id}/"), "All visits")


class TestALink:
    """Links from other sites: /?service=&practitioner=&location=&date="""

    def test_leads_to_the_times_with_everything_set(self, client, visits, chen, site):
        ScheduleFactory(actor=chen, services=visits[:1], site=site)
        named = {"service": visits[0].fhir_id, "practitioner": chen.fhir_id, "location": site.fhir_id}
        page = client.get("/", {**named, "date": "2026-12-01"})
        query = f"practitioner={chen.fhir_id}&location={site.fhir_id}&date=2026-12-01"
        assertRedirects(page, f"/book/{visits[0].fhir_id}/?{query}")

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("service", "The visit in your link can no longer be booked here."),
            ("practitioner", "The practitioner in your link is no longer here."),
            ("location", "The place in your link is no longer one of ours."),
        ],
    )
    def test_to_what_is_not_there_shows_the_visits_and_says_so(self, client, visits, name, text):
        page = client.get("/", {name: "nobody"})
        assertContains(page, text)
        assert len(names(page)) == len(visits)

    def test_to_what_is_gone_says_so_though_there_is_one_visit_only(self, client):
        ServiceFactory()
        assertContains(client.get("/", {"service": "gone"}), "can no longer be booked here")

    def test_to_a_person_shows_their_visits_and_leads_to_their_times(self, client, visits, chen, site):
        ScheduleFactory(actor=chen, services=visits[:2], site=site)
        page = client.get("/", {"practitioner": chen.fhir_id})
        assert names(page) == ["First visit", "Follow-up"]
        assertContains(page, "Visits with Dr. Mei Chen.")
        assertContains(page, f"/book/{visits[0].fhir_id}/?practitioner={chen.fhir_id}")

    def test_to_a_person_with_one_visit_leads_there(self, client, visits, chen):
        ScheduleFactory(actor=chen, services=visits[:1])
        page = client.get("/", {"practitioner": chen.fhir_id})
        assertRedirects(page, f"/book/{visits[0].fhir_id}/?practitioner={chen.fhir_id}")

    def test_to_a_place_shows_what_is_given_there(self, client, visits, site):
        ScheduleFactory(actor=PractitionerFactory(), services=visits[:2], site=site)
        ScheduleFactory(actor=PractitionerFactory(), services=visits[2:], site=LocationFactory())
        assert names(client.get("/", {"location": site.fhir_id})) == ["First visit", "Follow-up"]

    def test_to_who_gives_everything_shows_everything(self, client, visits, chen):
        ScheduleFactory(actor=chen, services=[], offers_all_services=True)
        assert len(names(client.get("/", {"practitioner": chen.fhir_id}))) == len(visits)


@pytest.mark.parametrize("number", [2, 12])
def test_it_asks_as_much_for_many_visits_as_for_one(client, django_assert_num_queries, number):
    services = ServiceFactory.create_batch(number, questionnaires=[QuestionnaireFactory()])
    ScheduleFactory(services=services, site=LocationFactory())
    with django_assert_num_queries(6):
        client.get("/")


def test_each_visit_says_where_it_is_and_at_how_many_sites(client):
    one, two, video = ServiceFactory(), ServiceFactory(), ServiceFactory(telehealth=True)
    here = LocationFactory(name="Riverside", city="New York")
    there = LocationFactory(name="Boston Harbour", city="Boston")
    ScheduleFactory(services=[one, two, video], site=here)
    ScheduleFactory(services=[two], site=there)
    ScheduleFactory(services=[one], site=LocationFactory(status="inactive"))
    cards = {card.service.pk: card for card in client.get("/").context["catalogue"].cards}
    assert [list(cards[each.pk].sites) for each in (one, two, video)] == [[here], [there, here], []]
    page = client.get("/")
    assertContains(page, "Riverside, New York")
    assertContains(page, "2 sites: Boston Harbour; Riverside, New York")
    names = [(there, "Boston Harbour"), (here, "Riverside, New York")]
    linked = "; ".join(f'<a href="/sites/{site.fhir_id}/">{name}</a>' for site, name in names)
    assertContains(client.get(f"/book/{two.fhir_id}/"), f"2 sites: {linked}")
    assertNotContains(client.get(f"/book/{video.fhir_id}/"), "Riverside, New York")


@pytest.mark.parametrize(
    ("name", "city", "text"),
    [
        ("Clínica Los Ángeles", "Los Angeles", "Clínica Los Ángeles"),
        ("Riverside", "New York", "Riverside, New York"),
        ("Riverside", "", "Riverside"),
    ],
)
def test_a_town_in_the_sites_name_is_not_said_twice(name, city, text):
    assert site_and_town(LocationFactory.build(name=name, city=city)) == text


def test_a_town_in_the_sites_name_is_not_said_again_in_another_language():
    site = LocationFactory.build(name="Riverside New York", city="New York", extra={})
    translate(site.extra, "name", {"es": "Riverside Nueva York"})
    with translation.override("es"):
        assert site_and_town(site) == "Riverside Nueva York"


def test_an_empty_result_gives_the_clinics_phone(client, visits, settings):
    settings.CLINIC_PHONE = "+1 212 555 0100"
    link = '<a href="tel:+12125550100">(212) 555-0100</a>'
    assertContains(client.get("/", {"q": "acupuncture"}), f"Can\u2019t find it? Call us: {link}.")
