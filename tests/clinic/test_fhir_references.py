from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.fhir.resources import InvalidResource, References
from tests.factories import LocationFactory, PractitionerFactory, QuestionnaireFactory

BASE = "https://clinic.example/fhir/R4"


def test_references_are_collected_at_any_depth():
    schedule = {
        "resourceType": "Schedule",
        "actor": [{"reference": "Practitioner/chen"}],
        "extension": [
            {"url": "x", "extension": [{"url": "y", "valueReference": {"reference": "HealthcareService/a"}}]}
        ],
    }
    slot = {"resourceType": "Slot", "schedule": {"reference": "Schedule/1", "display": "Schedule/2"}}
    assert References.collect([schedule, slot]) == {"Practitioner/chen", "HealthcareService/a", "Schedule/1"}


@pytest.mark.django_db
def test_all_references_are_read_at_once(django_assert_num_queries):
    people = PractitionerFactory.create_batch(3)
    sites = LocationFactory.create_batch(2)
    with django_assert_num_queries(1):
        refs = References.load({row.reference for row in [*people, *sites]} | {"Nothing/1", "#here", "urn:x"})
    for row in [*people, *sites]:
        assert refs.find(row.reference, path="x") == row.pk


@pytest.mark.django_db
def test_one_statement_is_prepared_for_the_same_types_in_any_order():
    with CaptureQueriesContext(connection) as queries:
        for references in permutations(["Location/a", "Patient/b", "Practitioner/c"]):
            References.load(references)
    assert len(queries) == 6
    assert len({each["sql"] for each in queries}) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["{}", f"{BASE}/{{}}", "{}/_history/3", f"{BASE}/{{}}/_history/3"])
def test_our_own_address_and_versions_are_understood(form):
    chen = PractitionerFactory()
    text = form.format(chen.reference)
    refs = References.load({text}, base=BASE)
    assert refs.find(text, "Practitioner", path="x") == chen.pk


@pytest.mark.django_db
def test_a_reference_elsewhere_or_to_a_deleted_row_or_another_type_is_not_found():
    chen, gone = PractitionerFactory(), PractitionerFactory(deleted_at="2026-01-01T00:00:00Z")
    elsewhere = f"https://other.example/{chen.reference}"
    refs = References.load({chen.reference, gone.reference, elsewhere}, base=BASE)
    for text, allowed in [
        (gone.reference, ()),
        (elsewhere, ()),
        ("Practitioner/nobody", ()),
        (chen.reference, ("Location",)),
    ]:
        with pytest.raises(InvalidResource) as refusal:
            refs.find(text, *allowed, path="Schedule.actor[0].reference")
        [issue] = refusal.value.issues
        assert (issue.code, issue.expression) == ("not-found", "Schedule.actor[0].reference")


@pytest.mark.django_db
def test_a_canonical_names_the_form_of_that_version_and_rather_one_in_use(django_assert_num_queries):
    url = "https://example.org/form"
    old = QuestionnaireFactory(url=url, status="retired", extra={"version": "1"})
    now = QuestionnaireFactory(url=url, extra={"version": "2"})
    QuestionnaireFactory(url=url, status="draft", extra={"version": "3"})
    QuestionnaireFactory(url=url, deleted_at="2026-01-01T00:00:00Z")
    refs = References(BASE)
    for canonical, form in {
        url: now,
        f"{url}|1": old,
        f"{url}|4": None,
        now.reference: now,
        f"{BASE}/{old.reference}": old,
        "https://elsewhere.example/form": None,
    }.items():
        assert refs.questionnaire(canonical, path="x") == form, canonical
        with django_assert_num_queries(0):
            refs.questionnaire(canonical, path="x")


def test_a_row_added_later_is_known():
    refs = References()
    refs.add("Practitioner/new", 7)
    assert refs.find("Practitioner/new", "Practitioner", path="x") == 7
