"""Specialties, languages and relationships by name."""

import pytest
from django.conf import settings
from django.utils.translation import override

from clinic import named_concepts
from clinic.fhir.codes import LANGUAGE


@pytest.mark.parametrize("language", dict(settings.LANGUAGES))
@pytest.mark.parametrize("kind", ["specialties", "languages", "relationships"])
def test_each_has_a_name_of_its_own_in_every_language_and_is_read_by_it(language, kind):
    known = getattr(named_concepts, f"known_{kind}")
    name_of = getattr(named_concepts, {"specialties": "specialty"}.get(kind, kind.removesuffix("s")) + "_name")
    count = {"specialties": named_concepts.SPECIALTIES, "languages": named_concepts.SPOKEN}
    with override(language):
        assert len(known()) == len(count.get(kind, named_concepts.RELATIONSHIPS))
        assert [name_of(concept) for concept in known().values()] == list(known())


def test_words_of_other_software_stay():
    with override("de"):
        assert named_concepts.specialty_name({"text": "Skin doctor"}) == "Skin doctor"
        assert named_concepts.language_name({"text": "Plattdeutsch"}) == "Plattdeutsch"
        assert named_concepts.language_name({"coding": [{"system": LANGUAGE, "code": "es"}]}) == "Spanisch"
        assert named_concepts.relationship_name({"coding": [{"code": "MTH", "display": "mother"}]}) == "mother"
