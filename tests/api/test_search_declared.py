"""The declarations of search parameters: https://hl7.org/fhir/R4/searchparameter.html"""

import re

import pytest
from fhir.resources.R4B import get_fhir_model_class

from api.search import expression, parameters_of
from clinic.fhir.resources import RESOURCES
from tests.api.conftest import ids
from tests.factories import PatientFactory, ScheduleFactory


@pytest.mark.parametrize("kind", RESOURCES)
def test_expressions_name_elements_that_the_type_has(kind):
    known = get_fhir_model_class(kind).elements_sequence()
    for name, parameter in parameters_of(kind).items():
        path = expression(kind, name)
        assert path or parameter.ours or name in ("_text", "_content")
        for element in re.findall(rf"\b{kind}\.(\w+)", path):
            assert any(each.startswith(element) for each in known), path


@pytest.mark.parametrize(
    ("page", "text", "usage"),
    [
        ("individual-family", "Practitioner.name.family | Patient.name.family", "normal"),
        ("Appointment-patient", "Appointment.participant.actor.where(resolve() is Patient)", "normal"),
        ("Patient-death-date", "(Patient.deceased as dateTime)", "normal"),
        ("Resource-id", "Resource.id", "normal"),
        ("Location-near", "Location.position", "nearby"),
        ("Organization-phonetic", "Organization.name", "phonetic"),
        ("Resource-content", None, "normal"),
    ],
)
def test_a_page_says_where_a_parameter_looks(api, page, text, usage):
    response = api.get(f"SearchParameter/{page}").fhir
    assert (response.get("expression"), response["xpathUsage"]) == (text, usage)


def test_identifiers_are_found_by_their_type(api):
    passport = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PPN"}]}
    PatientFactory(fhir_id="ada", identifier=[{"type": passport, "value": "7"}, {"value": "8"}])
    of_type = "identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|PPN|"
    assert ids(api.get(f"Patient?{of_type}7")) == ["ada"]
    assert ids(api.get(f"Patient?{of_type}8")) == []
    for query in (of_type, "identifier:of-type=7", "identifier:of-type=PPN|7"):
        assert api.get(f"Patient?{query}").status_code == 400


def test_flags_can_be_said_with_their_system(api):
    ScheduleFactory(fhir_id="calendar")
    system = "http://terminology.hl7.org/CodeSystem/special-values"
    assert ids(api.get(f"Schedule?active={system}|true")) == ["calendar"]
    assert ids(api.get(f"Schedule?active={system}|false")) == []
    assert api.get(f"Schedule?active={system}|maybe").status_code == 400
