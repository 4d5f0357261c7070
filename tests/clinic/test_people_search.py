"""The search for people by typed text: the patients found, and their order."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import people_search
from clinic.folding import folded, joined
from clinic.models import Patient
from clinic.models.search_column import search_column_value
from tests.factories import PatientFactory

PEOPLE = {
    "berg": {"given": "Anna", "family": "van den Berg", "birth_date": date(1945, 4, 20)},
    "lopez": {"given": "María José", "family": "García López", "birth_date": date(1985, 4, 3)},
    "ohara": {"given": "Scarlett", "family": "O\u2019Brien", "phone": "+44 (0)20 7946 0018"},
    "obrien": {"given": "Pat", "family": "O'Brien", "phone": "(212) 555-0199"},
    "smith": {"given": "Zoë", "family": "Smith-Jones", "email": "Zoe.Smith@Example.com"},
    "lukasik": {"given": "Łukasz", "family": "Łukasik", "identifier": [{"system": "urn:mrn", "value": "MRN-00077"}]},
    "mueller": {"given": "Jürgen", "family": "Strauß", "phone": "+49 30 901820"},
    "suharto": {"given": "Suharto", "family": "", "extra": {"birthDate": "1985-03"}},
    "married": {
        "given": "Ruth",
        "family": "Novak",
        "extra": {"name": [{}, {"use": "maiden", "family": "Holzapfel"}]},
    },
}
TYPED = [
    ("van den Berg", {"berg"}),
    ("Van Den Berg", {"berg"}),
    ("vandenberg", {"berg"}),
    ("berg", {"berg"}),
    ("van den Berg, Anna", {"berg"}),
    ("anna berg", {"berg"}),
    ("García López", {"lopez"}),
    ("garcia lopez", {"lopez"}),
    ("lopez", {"lopez"}),
    ("garcia", {"lopez"}),
    ("jose garcia", {"lopez"}),
    ("Lopez, Maria", {"lopez"}),
    ("zoe", {"smith"}),
    ("lukasik", {"lukasik"}),
    ("Łukasik", {"lukasik"}),
    ("strauss", {"mueller"}),
    ("jurgen", {"mueller"}),
    ("O'Brien", {"ohara", "obrien"}),
    ("O\u2019Brien", {"ohara", "obrien"}),
    ("obrien", {"ohara", "obrien"}),
    ("o brien", {"ohara", "obrien"}),
    ("O\u02bcBrien Pat", {"obrien"}),
    ("Smith-Jones", {"smith"}),
    ("Smith Jones", {"smith"}),
    ("Smith\u2011Jones", {"smith"}),
    ("smithjones", {"smith"}),
    ("jones", {"smith"}),
    ("Holzapfel", {"married"}),
    ("4/20/1945", {"berg"}),
    ("20/4/1945", {"berg"}),
    ("20 April 1945", {"berg"}),
    ("April 20, 1945", {"berg"}),
    ("20 de abril de 1945", {"berg"}),
    ("20.4.1945", {"berg"}),
    ("1945-04-20", {"berg"}),
    ("20 4 1945", {"berg"}),
    ("4/20/45", {"berg"}),
    ("03/04/1985", {"lopez"}),
    ("04/03/1985", {"lopez"}),
    ("Anna van den Berg 20 April 1945", {"berg"}),
    ("4/20/1945 berg anna", {"berg"}),
    ("Berg 1946-04-20", set()),
    ("berg 1945", {"berg"}),
    ("1945 van den berg", {"berg"}),
    ("berg 1946", set()),
    ("1945", set()),
    ("suharto 1985", {"suharto"}),
    ("suharto 3/27/1985", {"suharto"}),
    ("suharto 4/27/1985", set()),
    ("3/27/1985", set()),
    ("brien 0199", {"obrien"}),
    ("(212) 555-0199", {"obrien"}),
    ("+1 212 555 0199", {"obrien"}),
    ("212.555.0199", {"obrien"}),
    ("1-212-555-0199", {"obrien"}),
    ("555-0199", {"obrien"}),
    ("0199", {"obrien"}),
    ("020 7946 0018", {"ohara"}),
    ("+44 20 7946 0018", {"ohara"}),
    ("011 44 20 7946 0018", {"ohara"}),
    ("0044 20 7946 0018", {"ohara"}),
    ("+49 (0)30 901820", {"mueller"}),
    ("brien 555 0199", {"obrien"}),
    ("zoe.smith@example.com", {"smith"}),
    ("Zoe.Smith@", {"smith"}),
    ("MRN-00077", {"lukasik"}),
    ("mrn00077", {"lukasik"}),
    ("00077", {"lukasik"}),
    ("nobody", set()),
    ("'); DROP", set()),
    ("a\\ & | ! ':*", {"berg"}),
    ("%", set()),
    ("...", set()),
]


@pytest.mark.django_db
def test_people_are_found_in_any_writing(settings):
    settings.CLINIC_COUNTRY = "US"
    for name, fields in PEOPLE.items():
        PatientFactory(fhir_id=name, **{"birth_date": None, "phone": "", "email": "", **fields})
    wrong = {
        typed: found
        for typed, meant in TYPED
        if (found := {each.fhir_id for each in people_search.find(Patient.objects.all(), typed)}) != meant
    }
    assert wrong == {}


@pytest.mark.django_db
def test_an_exact_name_comes_first():
    people = [("Ann", "Bergman"), ("Ann", "Berg"), ("Anna", "Berg-Aalto"), ("Annabel", "Berg")]
    for given, family in people:
        PatientFactory(given=given, family=family)

    def found(typed):
        return [str(each) for each in people_search.find(Patient.objects.all(), typed)]

    assert found("berg") == ["Ann Berg", "Annabel Berg", "Anna Berg-Aalto", "Ann Bergman"]
    assert found("Berg, Ann") == ["Ann Berg", "Annabel Berg", "Anna Berg-Aalto", "Ann Bergman"]


@pytest.mark.django_db
def test_the_search_column_follows_every_way_of_writing():
    saved = PatientFactory(given="Ann", family="Núñez")
    bulk = Patient.objects.bulk_create([Patient(given="Bo", family="Ünal", last_updated=saved.last_updated)])[0]

    def found(typed):
        return [each.pk for each in people_search.find(Patient.objects.all(), typed)]

    assert (found("nunez"), found("unal")) == ([saved.pk], [bulk.pk])
    saved.family = "Öztürk"
    saved.save(update_fields=["family"])
    bulk.family = "Żak"
    Patient.objects.bulk_update([bulk], ["family"])
    assert (found("ozturk"), found("zak"), found("nunez"), found("unal")) == ([saved.pk], [bulk.pk], [], [])


@pytest.mark.django_db
def test_a_hundred_thousand_words_are_no_reason_to_fail():
    PatientFactory(given=" ".join(f"n{number}" for number in range(40)), family="x" * 200)
    assert people_search.find(Patient.objects.all(), "x" * 60).count() == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Núñez O\u2019Hara", "nunez ohara"),
        ("Nu\u0301n\u0303ez", "nunez"),
        ("SMITH\u2013JONES", "smith jones"),
        ("Łukasik", "lukasik"),
        ("Straße", "strasse"),
        ("  van   den Berg ", "van den berg"),
        ("D\u2019Angelo", "dangelo"),
    ],
)
def test_a_name_is_folded(text, words):
    assert folded(text) == words
    assert joined(text) == words.replace(" ", "")


@pytest.mark.parametrize(
    "text", ["May June", "April Day", "Jan 3", "Mr. March 12", "Sunday", "Anna 12", "99/99/1985", "today", "now"]
)
def test_names_are_not_read_as_dates(text):
    assert people_search.parse(text).dates == ()


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("03/04/1985", {date(1985, 4, 3), date(1985, 3, 4)}),
        ("20.4.1945", {date(1945, 4, 20)}),
        ("3 Dec 2019", {date(2019, 12, 3)}),
        ("May 5th, 1990", {date(1990, 5, 5)}),
    ],
)
def test_a_date_is_read_in_every_order_that_it_can_have(text, days):
    assert set(people_search.parse(text).dates[0]) == days


@pytest.mark.django_db
def test_the_index_of_the_search_column_is_used():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for typed in ("garcia lopez", "555-0199", "zoe@example.com"):
        assert "patient_search" in people_search.find(Patient.objects.all(), typed).order_by().explain(), typed


def test_the_column_holds_quoted_words():
    row = Patient(given="Eve", family="O'Neil\\", phone="", email="e'v\\e@x", last_updated=None)
    assert "'oneil':1A" in search_column_value(row)
    assert r"'@e''v\\e@x':1D" in search_column_value(row)


MISSPELT = [
    ("Garcai Lopez", ["lopez"]),  # two letters that changed places
    ("garca", ["lopez"]),  # a letter is missing
    ("Holzapfell", ["married"]),  # one too much
    ("van den Borg", ["berg"]),  # a wrong one
    ("lukasyk", ["lukasik"]),
    ("Brian", ["obrien"]),
    ("holsap", ["married"]),  # only the beginning, with a wrong letter
    ("garzia 1985", ["lopez"]),
    ("garzia 1986", []),
    ("garzia 4/3/1985", ["lopez"]),
    ("xyzzyx", []),
    ("1985", []),
    ("ab", []),
    ("'); DROP", []),
]


@pytest.mark.django_db
def test_people_are_found_though_a_name_is_misspelt(settings):
    settings.CLINIC_COUNTRY = "US"
    for name, fields in PEOPLE.items():
        PatientFactory(fhir_id=name, **{"birth_date": None, "phone": "", "email": "", **fields})
    found = {
        typed: [each.fhir_id for each in people_search.find_near(Patient.objects.all(), typed, most=1)]
        for typed, _meant in MISSPELT
    }
    assert found == dict(MISSPELT)


@pytest.mark.django_db
def test_the_most_similar_name_comes_first():
    for family in ("Schmid", "Schmitt", "Schmidt", "Schmitz"):
        PatientFactory(given="Eva", family=family)
    found = people_search.find_near(Patient.objects.all(), "Schmidtt", most=2)
    assert [each.family for each in found] == ["Schmidt", "Schmitt"]


@pytest.mark.django_db
def test_a_misspelt_name_is_found_by_the_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as captured:
        people_search.find_near(Patient.objects.all(), "garcai", most=5)
    [query] = captured.captured_queries
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query['sql']}")
        assert any("patient_search" in line for (line,) in cursor.fetchall())
