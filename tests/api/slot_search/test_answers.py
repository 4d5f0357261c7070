"""Included resources, forms and errors of a search for Slots."""

import pytest

from clinic.fhir.datatypes import instant
from tests.api.conftest import ids
from tests.api.slot_search.searches import FREE_DAY, slots
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def included(answer):
    return [each["resource"]["id"] for each in answer.fhir["entry"] if each["search"]["mode"] == "include"]


def test_calendars_and_their_actors_are_included(api, chen, singh):
    query = {**FREE_DAY, "_include": "Slot:schedule", "_include:iterate": "Schedule:actor"}
    answer = api.get("Slot", query)
    assert included(answer) == ["of-chen", "of-singh", "dr-chen", "dr-singh"]
    assert answer.fhir["total"] == 16
    assert included(api.get("Slot", {**FREE_DAY, "_revinclude": "Appointment:slot"})) == []


def test_the_answer_has_the_form_that_was_asked_for(api, chen):
    assert "total" not in api.get("Slot", {**FREE_DAY, "_total": "none"}).fhir
    for query in ({"_summary": "count"}, {"_count": "0"}):
        counted = api.get("Slot", {**FREE_DAY, **query}).fhir
        assert (counted["total"], "entry" in counted) == (8, False)
    [first, *_] = slots(api, **FREE_DAY, _elements="start")
    assert set(first) == {"resourceType", "id", "meta", "status", "schedule", "start", "end"}
    assert first["meta"]["tag"][0]["code"] == "SUBSETTED"
    in_xml = api.get("Slot", {**FREE_DAY, "_format": "xml"})
    assert in_xml["Content-Type"].startswith("application/fhir+xml")
    assert in_xml.content.count(b'<id value="free-') == 8


@pytest.mark.parametrize(("prefer", "status"), [("", 400), ("handling=strict", 400), ("handling=lenient", 200)])
def test_unknown_parameters_are_refused_unless_the_client_is_lenient(api, chen, prefer, status):
    answer = api.get("Slot", {**FREE_DAY, "colour": "blue"}, prefer=prefer)
    assert answer.status_code == status
    assert status == 400 or len(ids(answer)) == 8


def test_free_slots_are_found_and_read_in_bundles(api, chen):
    [first, *_] = slots(api, **FREE_DAY)
    day = f"start=ge{instant(monday(0))}&start=lt{instant(monday(0, days=1))}"
    for kind in ("batch", "transaction"):
        urls = (f"Slot?status=free&{day}", f"Slot/{first['id']}")
        entries = [{"request": {"method": "GET", "url": url}} for url in urls]
        searched, read = api.post("", {"resourceType": "Bundle", "type": kind, "entry": entries}).fhir["entry"]
        assert (searched["resource"]["total"], read["resource"]) == (8, first)


def test_conditional_writes_look_at_what_is_stored_only(api, chen):
    slot = {
        "resourceType": "Slot",
        "status": "busy",
        "schedule": {"reference": chen.reference},
        "start": instant(monday(9)),
        "end": instant(monday(10)),
    }
    answer = api.post("Slot", slot, if_none_exist=f"schedule=of-chen&start={instant(monday(9))}")
    assert answer.status_code == 201
