"""Participants of an Appointment: built in one way, read in one way."""

import pytest

from scheduling.participants import (
    PATIENT,
    PLACE,
    PRACTITIONER,
    actor_of,
    awaiting_answers,
    declined,
    encounter_participants,
    is_patient,
    is_practitioner,
    names_by_reference,
    names_of_kind,
    participant,
    references_of,
)

ADA = participant("Patient/ada", "Ada Quinn", "accepted")
CHEN = participant("Practitioner/chen", "Dr. Mei Chen", "tentative")
ROLE = participant("PractitionerRole/evenings", "", "tentative")
ROOM = participant("Location/room", "Room 2", "accepted")
NAMED_ONLY = {"actor": {"display": "A relative"}, "status": "tentative"}
NOBODY = {"type": [{"text": "observer"}], "status": "accepted"}
ALL = [ADA, CHEN, ROLE, ROOM, NAMED_ONLY, NOBODY]


def test_a_participant_is_required_and_has_no_empty_name():
    assert CHEN == {
        "actor": {"reference": "Practitioner/chen", "display": "Dr. Mei Chen"},
        "required": "required",
        "status": "tentative",
    }
    assert ROLE["actor"] == {"reference": "PractitionerRole/evenings"}


@pytest.mark.parametrize(
    ("kind", "references", "names"),
    [
        (PATIENT, ["Patient/ada"], ["Ada Quinn"]),
        (PRACTITIONER, ["Practitioner/chen", "PractitionerRole/evenings"], ["Dr. Mei Chen"]),
        (PLACE, ["Location/room"], ["Room 2"]),
        ("Device/", [], []),
    ],
)
def test_actors_are_read_by_their_kind(kind, references, names):
    assert references_of(ALL, kind) == references
    assert names_of_kind(ALL, kind) == names
    assert list(names_by_reference(ALL, kind)) == references
    assert [name for name in names_by_reference(ALL, kind).values() if name] == names


def test_an_actor_without_a_reference_is_of_no_kind():
    assert references_of(ALL) == ["Patient/ada", "Practitioner/chen", "PractitionerRole/evenings", "Location/room"]
    for element in (NAMED_ONLY, NOBODY, {"actor": {"reference": None}}):
        assert (actor_of(element), is_patient(element), is_practitioner(element)) == ("", False, False)


def test_only_the_patient_declines():
    assert [each["status"] for each in map(declined, ALL)] == [
        "declined",
        "tentative",
        "tentative",
        "accepted",
        "tentative",
        "accepted",
    ]
    assert ADA["status"] == "accepted", "the participant itself stays as it was"


def test_a_request_is_answered_by_its_practitioners_or_else_by_everybody_but_the_patient():
    assert [each["status"] for each in awaiting_answers([ADA, CHEN, ROOM])] == ["accepted", "needs-action", "accepted"]
    assert [each["status"] for each in awaiting_answers([ADA, ROOM])] == ["accepted", "needs-action"]


def test_the_practitioners_take_part_in_the_encounter():
    assert encounter_participants(ALL) == [{"individual": CHEN["actor"]}, {"individual": ROLE["actor"]}]
