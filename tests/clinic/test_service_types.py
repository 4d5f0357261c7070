"""Service types by name: X12's codes and the clinic's own."""

import pytest
from django.conf import settings
from django.utils.translation import override

from clinic import service_types
from clinic.fhir.codes import SERVICE_TYPE
from clinic.models import ServiceType

PHYSIOTHERAPY = service_types.x12_type("PT")


@pytest.mark.parametrize("language", dict(settings.LANGUAGES))
def test_each_has_a_name_of_its_own_in_every_language(db, language):
    with override(language):
        assert len(service_types.known_types()) == len(service_types.X12_NAMES)


def test_x12s_are_named_in_the_readers_language_unless_other_software_named_them(db):
    named = {**PHYSIOTHERAPY, "text": "Physio with Bo"}
    bare = {"coding": [{"system": service_types.X12, "code": "PT"}]}
    with override("es"):
        assert service_types.names_of([PHYSIOTHERAPY, bare, named, {}]) == ["Fisioterapia", "Physio with Bo"]


def test_a_type_of_ones_own_gets_a_code_from_its_name(db):
    first = service_types.with_type([], "Home visit, long")
    [again] = service_types.with_type(first, "home visit, long")

    assert again["coding"] == [{"system": SERVICE_TYPE, "code": "home-visit-long", "display": "Home visit, long"}]
    assert ServiceType.objects.count() == 1
    assert service_types.with_type([], "Home visit long")[0]["coding"][0]["code"] == "home-visit-long-2"
    assert service_types.with_type([], "往診")[0]["coding"][0]["code"] == "type"


def test_a_name_on_the_list_is_no_type_of_ones_own(db):
    assert service_types.with_type([], "physical therapy") == [PHYSIOTHERAPY]
    assert not ServiceType.objects.exists()
