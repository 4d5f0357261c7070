"""A resource is returned as it was sent."""

import copy
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.fhir.resources import RESOURCES, References, to_fhir
from clinic.models import Patient
from tests.clinic.round_trips import RICH, everybody, sent, there_and_back


@pytest.mark.django_db
@pytest.mark.parametrize(
    "resource", [pytest.param(each, id=f"{each['resourceType']} {n}") for n, each in enumerate(RICH)]
)
def test_a_resource_is_returned_as_it_was_sent(resource):
    before = copy.deepcopy(resource)
    row, back = there_and_back(resource, everybody())
    assert sent(back) == sent(resource)
    assert resource == before
    assert back["id"] == row.fhir_id
    assert back["meta"]["versionId"] == "1"


@pytest.mark.django_db
def test_an_id_that_was_chosen_is_kept():
    row, back = there_and_back({"resourceType": "Organization", "id": "riverside.1", "name": "R"}, References())
    assert row.fhir_id == back["id"] == "riverside.1"


@pytest.mark.django_db
def test_places_that_hold_nothing_close_up():
    names = [{"family": "Quinn"}, {"family": "Before"}]
    row, _ = there_and_back({"resourceType": "Patient", "name": names}, References())
    row.family = ""
    assert to_fhir(row)["name"] == [{"family": "Before"}]


WORDS = st.text("abc .", min_size=1, max_size=8).filter(str.strip)
NAMES = st.fixed_dictionaries(
    {},
    optional={
        "family": WORDS,
        "given": st.lists(WORDS, min_size=1, max_size=3),
        "prefix": st.lists(WORDS, min_size=1, max_size=2),
        "use": st.sampled_from(["official", "nickname"]),
    },
).filter(bool)
TELECOMS = st.fixed_dictionaries(
    {"system": st.sampled_from(["phone", "email", "fax"])},
    optional={"value": st.sampled_from(["1", "2", "a@example.com", "b"]), "rank": st.integers(1, 3)},
)
PATIENTS = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={
        "active": st.booleans(),
        "name": st.lists(NAMES, min_size=1, max_size=3),
        "telecom": st.lists(TELECOMS, min_size=1, max_size=4),
        "gender": st.sampled_from(["female", "male", "other", "unknown"]),
        "birthDate": st.sampled_from(["1980", "1980-05", "1980-05-17"]),
    },
)


@given(PATIENTS)
@settings(deadline=None)
def test_any_patient_comes_back(resource):
    draft = RESOURCES["Patient"].from_fhir(resource, References())
    assert sent(to_fhir(Patient(last_updated=datetime.fromisoformat("2026-01-01T00:00Z"), **draft.fields))) == resource
