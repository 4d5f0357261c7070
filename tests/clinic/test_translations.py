"""The clinic's own texts in the reader's language, stored as FHIR's translation extension."""

import pytest
from django.utils.translation import override

from clinic import translations
from clinic.fhir.resources import to_fhir
from clinic.models import Appointment, Device, HealthcareService, Location, Organization, Questionnaire
from clinic.templatetags.texts import in_its_language
from scheduling.participants import participant, room_names
from tests.factories import DeviceFactory, RoomFactory, ServiceFactory


def translated(**by_language):
    raw = {}
    translations.translate(raw, "name", {tag.replace("_", "-"): text for tag, text in by_language.items()})
    return raw["_name"]


@pytest.mark.parametrize(
    ("reader", "extra", "text", "language", "is_foreign"),
    [
        ("en", {"_name": translated(es="Revisión")}, "Check-up", "en", False),
        ("es", {"_name": translated(es="Revisión")}, "Revisión", "es", False),
        ("es", {"_name": translated(es_US="Chequeo", es="Revisión")}, "Revisión", "es", False),
        ("es", {"_name": translated(es_US="Chequeo")}, "Chequeo", "es-US", False),
        ("es", {"_name": translated(fr="Contrôle")}, "Check-up", "en", True),
        ("es", {}, "Check-up", "en", True),
        ("es", {"language": "es"}, "Check-up", "es", False),
        ("en", {"language": "es", "_name": translated(en="Look")}, "Look", "en", False),
    ],
)
def test_a_text_is_in_the_readers_language_or_says_in_which_it_is(reader, extra, text, language, is_foreign):
    service = HealthcareService(name="Check-up", extra=extra)
    with override(reader):
        found = translations.text_of(service, "name")
        assert (found, found.language, found.is_foreign) == (text, language, is_foreign)


def test_a_translation_is_set_and_taken_out_and_the_rest_stays():
    raw = {"_name": {"id": "n1", "extension": [{"url": "https://other.example", "valueString": "kept"}]}}
    translations.translate(raw, "name", {"es": "Revisión"})
    translations.translate(raw, "name", {"fr": "Contrôle"})
    assert translations.translations_in(raw, "name") == {"es": "Revisión", "fr": "Contrôle"}
    translations.translate(raw, "name", {"es": "", "fr": ""})
    assert raw == {"_name": {"id": "n1", "extension": [{"url": "https://other.example", "valueString": "kept"}]}}


def test_fhir_gives_it_beside_the_element(db):
    service = ServiceFactory(name="Check-up", preparation="Fast.", extra={"_name": translated(es="Revisión")})
    translations.translate(service.extra, "extraDetails", {"es": "En ayunas."})
    service.save()
    resource = to_fhir(service)
    assert resource["name"] == "Check-up"
    assert resource["_name"] == translated(es="Revisión")
    assert translations.translations_in(resource, "extraDetails") == {"es": "En ayunas."}
    assert translations.translations_of(service, "preparation") == {"es": "En ayunas."}


@pytest.mark.parametrize("model", [Device, HealthcareService, Location, Organization, Questionnaire])
def test_each_kind_of_text_has_a_column(model):
    row = model()
    for column in row.TRANSLATED:
        assert translations.text_of(row, column).language == "en"


def test_a_sentence_marks_only_what_is_in_another_language():
    service = HealthcareService(name="Check-up <1>", extra={})
    with override("es"):
        sentence = translations.Sentence(
            "%(service)s es para %(count)d personas.", service=translations.text_of(service, "name"), count=2
        )
        assert sentence == "Check-up <1> es para 2 personas."
        marked = '<span lang="en">Check-up &lt;1&gt;</span> es para 2 personas.'
        assert in_its_language(sentence) == marked
    with override("en"):
        assert in_its_language(translations.Sentence("%(one)s & more", one=translations.text_of(service, "name"))) == (
            "Check-up &lt;1&gt; &amp; more"
        )


@pytest.mark.parametrize(
    ("reader", "extra", "name", "language"),
    [
        ("en", {"deviceName": [{"_name": translated(es="Ecógrafo"), "type": "user-friendly-name"}]}, "Scanner", "en"),
        ("es", {"deviceName": [{"_name": translated(es="Ecógrafo"), "type": "user-friendly-name"}]}, "Ecógrafo", "es"),
        ("es", {"deviceName": [{"_name": translated(fr="Échographe")}]}, "Scanner", "en"),
        ("es", {}, "Scanner", "en"),
    ],
)
def test_a_device_is_named_in_the_readers_language(reader, extra, name, language):
    with override(reader):
        found = translations.actor_name(Device(name="Scanner", extra=extra))
        assert (found, found.language) == (name, language)


def test_the_name_of_a_device_comes_and_goes_beside_its_fhir_name(db):
    device = DeviceFactory(name="Scanner")
    translations.translate_column(device, "name", {"es": "Ecógrafo"})
    device.save()
    [name] = to_fhir(device)["deviceName"]
    assert name == {"name": "Scanner", "type": "user-friendly-name", "_name": translated(es="Ecógrafo")}
    translations.translate_column(device, "name", {"es": ""})
    assert "deviceName" not in device.extra


@pytest.mark.parametrize(
    ("reader", "extra", "renamed", "text", "is_foreign"),
    [
        ("en", {"_name": translated(es="Sala 1")}, "", "Room 1", False),
        ("es", {"_name": translated(es="Sala 1")}, "", "Sala 1", False),
        ("es", {"_name": translated(fr="Salle 1")}, "", "Room 1", True),
        ("es", {}, "", "Room 1", True),
        ("es", {"_name": translated(es="Sala 1")}, "Room 9", "Room 1", True),
    ],
)
def test_the_room_of_a_visit_is_named_in_the_readers_language(db, reader, extra, renamed, text, is_foreign):
    room = RoomFactory(name="Room 1", extra=extra)
    visit = Appointment(participant=[participant(room.reference, room.name, "accepted")])
    if renamed:
        room.name = renamed
        room.save()
    with override(reader):
        named = room_names(visit)
        assert (named, named.is_foreign) == (text, is_foreign)


def test_rooms_of_many_visits_are_looked_up_once(db, django_assert_num_queries):
    rooms = [RoomFactory(extra={"_name": translated(es=f"Sala {number}")}) for number in range(3)]
    visits = [Appointment(participant=[participant(room.reference, room.name, "accepted")]) for room in rooms]
    with override("es"), django_assert_num_queries(1):
        assert [room_names(visit) for visit in visits] == ["Sala 0", "Sala 1", "Sala 2"]
