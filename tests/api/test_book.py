"""https://www.medplum.com/docs/scheduling/appointment-book"""

import json
from copy import deepcopy
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Slot
from tests.api.conftest import Api, api_with, codes
from tests.api.visits import BOOK, found, issues_of, proposal, slots, starts, visit
from tests.factories import (
    DeviceFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db
HERE = "Parameters.appointment"


@pytest.fixture
def service():
    """Half an hour on the quarter with 5 minutes before and 10 after, from 9 to 5 in New York."""
    return ServiceFactory(name="Check-up", buffer_before=5, buffer_after=10)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


@pytest.fixture
def proposed_visit(api, service, chen, ada):
    return proposal(api, service, chen, patient=ada)


def test_a_found_proposal_is_booked(api, service, chen, ada, proposed_visit):
    answer = api.post(BOOK, proposed_visit)
    booked = visit(answer)
    row = Appointment.objects.get()
    assert (answer.status_code, booked["status"], row.patient) == (201, "booked", ada)
    assert answer["Location"] == f"http://testserver/fhir/R4/{row.reference}/_history/1"
    assert answer["ETag"] == 'W/"1"'
    assert answer.fhir["type"] == "transaction-response"
    assert [(each["status"], each["start"]) for each in slots(answer)] == [
        ("busy-unavailable", instant(monday(9, 55))),
        ("busy", instant(monday(10))),
        ("busy-unavailable", instant(monday(10, 30))),
    ]
    assert booked["slot"] == [{"reference": f"Slot/{each['id']}"} for each in slots(answer)]
    assert not {"contained", "extension"} & booked.keys()
    assert instant(monday(10)) not in starts(found(api, service, chen))


BODIES = {
    "Parameters": lambda it: {"resourceType": "Parameters", "parameter": [{"name": "appointment", "resource": it}]},
    "plain JSON": lambda it: {"appointment": it},
    "bare Appointment": lambda it: it,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_three_forms_of_body(api, proposed_visit, body):
    assert api.post(BOOK, body(proposed_visit)).status_code == 201


def test_elements_sent_by_the_client_are_kept(api, proposed_visit, ada):
    proposed_visit |= {
        "description": "Knee",
        "comment": "Third floor",
        "priority": 3,
        "reasonCode": [{"text": "It hurts"}],
        "identifier": [{"system": "https://example.org/visits", "value": "7"}],
        "extension": [
            {"url": "https://example.org/colour", "valueCode": "blue"},
            {"url": "https://medplum.com/fhir/StructureDefinition/SchedulingBookedByOperation", "valueString": "me"},
        ],
    }
    booked = visit(api.post(BOOK, proposed_visit))
    for name in ("description", "comment", "priority", "reasonCode", "identifier", "participant", "requestedPeriod"):
        assert booked[name] == proposed_visit[name], name
    assert booked["extension"] == proposed_visit["extension"][:1]
    assert api.get(f"Appointment/{booked['id']}").fhir == booked
    assert Appointment.objects.get().identifier == proposed_visit["identifier"]


def test_practitioner_room_and_device_together(api, service, chen, ada):
    room = ScheduleFactory(services=[service], actor=RoomFactory())
    device = ScheduleFactory(services=[service], actor=DeviceFactory())
    answer = api.post(BOOK, proposal(api, service, chen, room, device, patient=ada))
    assert (answer.status_code, len(slots(answer))) == (201, 9)
    assert visit(answer)["supportingInformation"][0]["reference"] == device.actor.reference


def change(path, value):
    """A function that puts a value into a copy of a proposal; None removes it."""

    def changed(sent):
        sent = node = deepcopy(sent)
        *steps, last = path
        for step in steps:
            node = node[step]
        if value is None:
            del node[last]
        else:
            node[last] = value
        return sent

    return changed


def later(minutes):
    return instant(monday(10) + timedelta(minutes=minutes))


BUFFER = "Buffer-before slot duration (10 min) does not match scheduling parameters bufferBefore (5 min)"
NOT_AN_INSTANT = "Not an instant with an offset from UTC, such as 2026-01-05T14:00:00Z"
MALFORMED = {
    "no service": (change(["serviceType"], None), "Appointment has no service reference", "serviceType"),
    "no slots": (change(["contained"], None), "Appointment has no contained Slot resources", "contained"),
    "slot references": (
        change(["slot"], [{"reference": "Slot/1"}]),
        "Proposed appointment must not have Slot references",
        "slot",
    ),
    "cancelled": (change(["status"], "cancelled"), "Appointment status must be 'proposed', got 'cancelled'", "status"),
    "unknown status": (change(["status"], "maybe"), "Appointment status must be 'proposed', got 'maybe'", "status"),
    "slot without schedule": (
        change(["contained", 0, "schedule"], None),
        "Slot missing schedule reference",
        "contained[0].schedule",
    ),
    "schedule of another type": (
        change(["contained", 1, "schedule", "reference"], "Practitioner/1"),
        "Invalid schedule reference",
        "contained[1].schedule",
    ),
    "slot status": (
        change(["contained", 0, "status"], "free"),
        "Slot status must be 'busy' or 'busy-unavailable', got 'free'",
        "contained[0].status",
    ),
    "no offset": (change(["contained", 0, "start"], "2027-01-04T10:00:00"), NOT_AN_INSTANT, "contained[0].start"),
    "the year 9999": (
        change(["contained", 0, "end"], "9999-12-31T23:59:59Z"),
        "Times lie between the years 1900 and 2200.",
        "contained[0].end",
    ),
    "start is a number": (change(["contained", 0, "start"], 10**20), NOT_AN_INSTANT, "contained[0].start"),
    "no length": (
        change(["contained", 0, "end"], later(0)),
        "Slot must cover a positive duration",
        "contained[0].end",
    ),
    "appointment at another time": (
        change(["start"], later(-60)),
        "Appointment.start is not the start of its busy Slots",
        "start",
    ),
    "too long": (
        change(["contained", 0, "end"], later(45)),
        "Slot duration does not match scheduling parameters duration",
        "contained[0].end",
    ),
    "no buffer": (
        change(["contained", 1], None),
        "Expected exactly one 'busy-unavailable' slot ending at the start of the busy slot (bufferBefore)",
        "contained[0]",
    ),
    "long buffer": (change(["contained", 1, "start"], later(-10)), BUFFER, "contained[1]"),
    "buffer somewhere else": (
        change(["contained", 2, "start"], later(31)),
        "A 'busy-unavailable' slot is the buffer before or after the busy slot",
        "contained[2]",
    ),
    "two visits": (
        change(["contained", 1, "status"], "busy"),
        "Slot duration does not match scheduling parameters duration",
        "contained[1].end",
    ),
    "participant status": (
        change(["participant", 0, "status"], "eager"),
        "'eager' is not one of accepted, declined, tentative, needs-action.",
        "participant[0].status",
    ),
    "a series": (
        change(
            ["extension"],
            [
                {
                    "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.recurrenceTemplate",
                    "extension": [{"url": "occurrenceCount", "valuePositiveInt": 3}],
                }
            ],
        ),
        "Unsupported recurrenceTemplate: it has no timezone",
        "extension[0]",
    ),
    "unknown element": (change(["patient"], "ada"), "Not an element of FHIR R4.", "patient"),
}


@pytest.mark.parametrize(("edit", "text", "place"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_is_400_and_says_where(api, proposed_visit, edit, text, place):
    answer = api.post(BOOK, BODIES["Parameters"](edit(proposed_visit)))
    assert answer.status_code == 400
    assert (text, f"{HERE}.{place}") in issues_of(answer)
    assert not Appointment.objects.exists()


MISSING = {
    "schedule": (["contained", 0, "schedule", "reference"], "Schedule/gone", "contained[0].schedule"),
    "service": (
        ["serviceType", 0, "extension", 0, "valueReference", "reference"],
        "HealthcareService/x",
        "serviceType",
    ),
    "patient": (["participant", 1, "actor", "reference"], "Patient/gone", "participant[1].actor.reference"),
}


@pytest.mark.parametrize(("path", "reference", "place"), MISSING.values(), ids=MISSING)
def test_a_missing_reference_is_404(api, proposed_visit, path, reference, place):
    if path[0] == "contained":
        proposed_visit["contained"] = [
            {**each, "schedule": {"reference": reference}} for each in proposed_visit["contained"]
        ]
    answer = api.post(BOOK, change(path, reference)(proposed_visit))
    assert (answer.status_code, codes(answer)) == (404, ["not-found"])
    assert answer.fhir["issue"][0]["expression"] == [f"{HERE}.{place}"]


def test_every_problem_is_reported_at_once(api, proposed_visit):
    proposed_visit["status"] = "fulfilled"
    proposed_visit["slot"] = [{"reference": "Slot/1"}]
    proposed_visit["contained"][0]["status"] = "free"
    proposed_visit["contained"][2]["end"] = "soon"
    proposed_visit["participant"][1]["actor"]["reference"] = "Patient/gone"
    proposed_visit["end"] = 7
    assert {place for _, place in issues_of(api.post(BOOK, proposed_visit))} == {
        f"{HERE}.status",
        f"{HERE}.slot",
        f"{HERE}.contained[0].status",
        f"{HERE}.contained[2].end",
        f"{HERE}.participant[1].actor.reference",
        f"{HERE}.end",
    }


@pytest.mark.parametrize(
    "body",
    [
        None,
        {"appointment": []},
        {"appointment": ["x"]},
        {"appointment": {"resourceType": "Slot"}},
        {"resourceType": "Patient"},
        {"resourceType": "Appointment"},
        {"resourceType": "Appointment", "contained": [7], "serviceType": 7, "participant": "x", "extension": {}},
        {"resourceType": "Appointment", "contained": [{"resourceType": "Slot"}], "serviceType": [{"extension": [7]}]},
        {"resourceType": "Appointment", "contained": [{"resourceType": "Slot"}] * 5000},
        {"resourceType": "Appointment", "requestedPeriod": [{"start": -1, "end": 7}], "created": 7, "start": 7},
        {"resourceType": "Appointment", "contained": [{"resourceType": "Slot", "schedule": {"reference": 7}}]},
        {"resourceType": "Parameters", "parameter": [{"name": "appointment"}]},
        {"appointment": {"resourceType": "Appointment"}, "slot": "x"},
        {"appointment": [{"resourceType": "Appointment"}, {"resourceType": "Appointment"}]},
        '{"appointment": NaN}',
        "[]",
        "{",
    ],
)
def test_bodies_that_are_nothing(api, body):
    assert api.post(BOOK, body).status_code == 400


def test_a_time_that_is_taken_is_409_with_the_nearest_others(api, service, chen, ada, bo, proposed_visit):
    theirs = proposal(api, service, chen, patient=bo)
    api.post(BOOK, proposed_visit)
    answer = api.post(BOOK, theirs)
    [issue] = answer.fhir["issue"]
    assert (answer.status_code, issue["code"], issue["expression"]) == (409, "conflict", [f"{HERE}.start"])
    nearest = [instant(monday(9, 15)), instant(monday(10, 45)), instant(monday(11))]
    assert json.loads(issue["diagnostics"]) == {"alternatives": nearest}
    assert ada.fhir_id not in json.dumps(answer.fhir)


NOT_OFFERED = {
    "off the grid": (7, "Slot start time is not aligned to the scheduling grid", "start"),
    "at night": (-240, "It is outside the hours.", "schedule"),
}


@pytest.mark.parametrize(("minutes", "text", "element"), NOT_OFFERED.values(), ids=NOT_OFFERED)
def test_a_time_that_is_not_offered_is_422_with_reasons(api, proposed_visit, minutes, text, element):
    answer = api.post(BOOK, moved(proposed_visit, timedelta(minutes=minutes)))
    [issue] = answer.fhir["issue"]
    assert (answer.status_code, issue["code"]) == (422, "business-rule")
    assert issue["expression"] == [f"{HERE}.contained[0].{element}"]
    assert text in issue["details"]["text"]


def moved(sent, by):
    def shifted(each):
        return {**each, **{name: instant(datetime.fromisoformat(each[name]) + by) for name in ("start", "end")}}

    return {**shifted(sent), "contained": [shifted(each) for each in sent["contained"]]}


def test_the_patient_cannot_be_in_two_places(api, service, chen, ada, proposed_visit):
    okafor = ScheduleFactory(services=[service])
    second = proposal(api, service, okafor, patient=ada)
    api.post(BOOK, proposed_visit)
    answer = api.post(BOOK, second)
    expected = {("The patient has another visit at that time.", f"{HERE}.participant")}
    assert (answer.status_code, issues_of(answer)) == (422, expected)


def test_rules_of_configuration(api, service, chen, proposed_visit):
    chen.active = False
    chen.save()
    answer = api.post(BOOK, proposed_visit)
    expected = {("Schedule is inactive", f"{HERE}.contained[0].schedule")}
    assert (answer.status_code, issues_of(answer)) == (422, expected)
    service.active = False
    service.save()
    assert ("HealthcareService is inactive", f"{HERE}.serviceType") in issues_of(api.post(BOOK, proposed_visit))


def test_callers_who_may_book(api, ada, bo, service, chen, proposed_visit):
    theirs = proposal(api, service, chen, patient=bo)
    patient = Api(user=ada.user)
    assert patient.post(BOOK, theirs).status_code == 404
    assert api_with("system/*.rs").post(BOOK, proposed_visit).status_code == 403
    assert Api().post(BOOK, proposed_visit).status_code == 401
    assert patient.post(BOOK, proposed_visit).status_code == 201


def test_only_post(api):
    assert api.get(BOOK).status_code == 405


def test_the_statements_do_not_grow_with_the_schedules(api, service, chen, ada, bo):
    others = [ScheduleFactory(services=[service], actor=PractitionerFactory()) for _ in range(8)]
    few = proposal(api, service, chen, patient=ada)
    many = proposal(api, service, *others, at=monday(14), patient=bo)
    counts = []
    for sent in (few, many):
        with CaptureQueriesContext(connection) as statements:
            assert api.post(BOOK, sent).status_code == 201
        counts.append(len(statements))
    # What $find has just read of the service and the schedules is not read again, nor is anything for the response.
    assert counts == [12, 12]


@pytest.mark.parametrize(
    "make",
    [PractitionerFactory, lambda: PractitionerFactory(prefix="Dr.", given="Mei", family=""), RoomFactory],
    ids=["a practitioner", "one without a family name", "a room"],
)
def test_a_participant_without_a_display_gets_the_name_of_its_row(api, service, ada, make):
    actor = make()
    wanted = proposal(api, service, ScheduleFactory(services=[service], actor=actor), patient=ada)
    for participant in wanted["participant"]:
        participant["actor"].pop("display", None)
    names = {
        each["actor"]["reference"]: each["actor"].get("display")
        for each in visit(api.post(BOOK, wanted))["participant"]
    }
    assert names == {actor.reference: str(actor), ada.reference: None}


def test_time_that_was_blocked_meanwhile(api, chen, proposed_visit):
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    assert api.post(BOOK, proposed_visit).status_code == 409
    assert not Appointment.objects.exists()
    assert Slot.objects.count() == 1
