"""https://hl7.org/fhir/R4/datatypes.html#id"""

import re

import pytest

from api.operations.ids import MOST_BYTES, FreeSlot, TooLong, free_slot_id, read_free_slot_id, seal, unseal


@pytest.mark.parametrize("numbers", [[0], [1, 127, 128], [2**40, 3, 16384], [1] * MOST_BYTES])
def test_the_numbers_come_back_out_of_an_id_of_fhir(numbers):
    fhir_id = seal("test", numbers)
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", fhir_id)
    assert unseal("test", fhir_id) == numbers


def test_more_than_an_id_can_hold_is_refused():
    with pytest.raises(TooLong):
        seal("test", [1] * (MOST_BYTES + 1))


def test_no_other_text_is_one():
    fhir_id = seal("test", [1, 2, 3])
    changed = ("B" if fhir_id[0] == "A" else "A") + fhir_id[1:]
    for text in (changed, fhir_id[:-1], fhir_id + "A", fhir_id + "=", f" {fhir_id}", "", ".", "é", "x" * 64):
        assert unseal("test", text) is None


def test_an_id_is_for_one_purpose_and_from_one_server(settings):
    fhir_id = seal("test", [1, 2, 3])
    assert unseal("another", fhir_id) is None
    settings.SECRET_KEY = "of another server"
    assert unseal("test", fhir_id) is None


def test_a_free_slot_has_the_same_id_every_day():
    fhir_id = free_slot_id(7, 8, 1_800_000_000)
    assert fhir_id == free_slot_id(7, 8, 1_800_000_000)
    assert read_free_slot_id(fhir_id) == FreeSlot(schedule=7, service=8, start=1_800_000_000)
    assert read_free_slot_id(fhir_id.removeprefix("free-")) is None
    assert read_free_slot_id("free-" + seal("free-slot", [1, 2])) is None
