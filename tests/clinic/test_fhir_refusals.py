"""Resources that are refused, with all their issues at once."""

import copy
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.fhir import codes
from clinic.fhir.resources import RESOURCES, InvalidResource, References
from clinic.fhir.validation import validate
from tests.clinic.round_trips import RICH
from tests.factories import QuestionnaireFactory

SLOT = {
    "resourceType": "Slot",
    "schedule": {"reference": "Schedule/1"},
    "status": "busy",
    "start": "2026-01-05T14:00:00Z",
    "end": "2026-01-05T14:30:00Z",
}
APPOINTMENT = {
    "resourceType": "Appointment",
    "status": "booked",
    "start": "2026-01-05T14:00:00Z",
    "end": "2026-01-05T14:30:00Z",
    "participant": [{"actor": {"reference": "Patient/1"}, "status": "accepted"}],
}
COVERAGE = {
    "resourceType": "Coverage",
    "status": "active",
    "beneficiary": {"reference": "Patient/1"},
    "payor": [{"display": "Acme"}],
}
ENCOUNTER = {"resourceType": "Encounter", "status": "planned", "class": {"system": codes.ACT_CODE, "code": "AMB"}}
TOO_DEEP = {"url": "u", "valueString": "x"}
for _ in range(60):
    TOO_DEEP = {"url": "u", "extension": [TOO_DEEP]}


def refusals(resource):
    refs = References()
    for known in ("Schedule/1", "Patient/1", "HealthcareService/1", "HealthcareService/2", "Practitioner/1"):
        refs.add(known, 1)
    with pytest.raises(InvalidResource) as refusal:
        RESOURCES[resource["resourceType"]].from_fhir(resource, refs)
    return [(issue.code, issue.expression) for issue in refusal.value.issues]


def without(resource, *names):
    return {name: value for name, value in resource.items() if name not in names}


def test_all_issues_are_reported_at_once():
    slot = {
        "resourceType": "Slot",
        "id": "a b",
        "schedule": {"reference": "Schedule/nobody"},
        "status": "taken",
        "start": "2026-01-05T14:00:00",
        "comment": "",
        "name": "Mine",
        "serviceType": [{"coding": [{"code": 7}]}],
    }
    assert sorted(refusals(slot)) == [
        ("code-invalid", "Slot.status"),
        ("not-found", "Slot.schedule.reference"),
        ("required", "Slot.end"),
        ("structure", "Slot.comment"),
        ("structure", "Slot.name"),
        ("value", "Slot.id"),
        ("value", "Slot.serviceType[0].coding[0].code"),
        ("value", "Slot.start"),
    ]


@pytest.mark.parametrize(
    ("change", "code", "expression"),
    [
        pytest.param({"start": "2026-01-05"}, "value", "Slot.start", id="a day"),
        pytest.param({"start": "2026-01-05T14:00:00"}, "value", "Slot.start", id="no offset"),
        pytest.param({"start": 1767621600}, "value", "Slot.start", id="seconds since 1970"),
        pytest.param({"end": "2026-01-05T14:00:00Z"}, "business-rule", "Slot.end", id="no time"),
        pytest.param({"end": "2026-01-05T15:00:00+02:00"}, "business-rule", "Slot.end", id="backwards"),
        pytest.param({"status": "BUSY"}, "code-invalid", "Slot.status", id="a status of no standard"),
        pytest.param({"schedule": {"display": "Chen"}}, "required", "Slot.schedule.reference", id="a name"),
        pytest.param(
            {"schedule": {"reference": "Patient/1"}}, "not-found", "Slot.schedule.reference", id="no schedule"
        ),
        pytest.param({"comment": "a\0b"}, "structure", "Slot.comment", id="a control character"),
        pytest.param({"comment": "\ud800"}, "structure", "Slot.comment", id="half a character"),
        pytest.param({"comment": "x" * 501}, "too-long", "Slot.comment", id="a novel"),
        pytest.param({"comment": None}, "structure", "Slot.comment", id="null"),
        pytest.param({"serviceType": []}, "structure", "Slot.serviceType", id="an empty list"),
        pytest.param({"serviceType": [{}]}, "structure", "Slot.serviceType[0]", id="an empty object"),
        pytest.param({"comment__ext": {"id": "x"}}, "structure", "Slot.comment__ext", id="a name of Python's"),
        pytest.param({"contained": [{"resourceType": "Foo"}]}, "structure", "Slot.contained", id="no such type"),
        pytest.param({"overbooked": "yes"}, "value", "Slot.overbooked", id="a word for a boolean"),
        pytest.param({"id": "x" * 65}, "value", "Slot.id", id="a long id"),
        pytest.param({"extension": [{"url": "u", "valueDecimal": float("nan")}]}, "structure", None, id="no number"),
        pytest.param({"extension": [TOO_DEEP]}, "structure", None, id="too deep"),
    ],
)
def test_invalid_slots(change, code, expression):
    [(found, path)] = refusals(SLOT | change)
    assert found == code
    assert expression in (None, path)


def test_a_value_of_the_wrong_form_is_answered_with_the_right_form():
    patient = {"resourceType": "Patient", "birthDate": "soon", "deceasedDateTime": "last year"}
    texts = {issue.expression: issue.text for issue in validate(patient, "Patient")}
    assert texts == {
        "Patient.birthDate": "A date is written as 2026-01-05, 2026-01 or 2026.",
        "Patient.deceasedDateTime": "A dateTime is written as 2026-01-05T14:00:00Z, 2026-01-05, 2026-01 or 2026.",
    }


def test_a_reason_for_the_absence_of_a_time_is_no_time():
    unknown = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    assert refusals(without(SLOT, "start") | {"_start": unknown}) == [("required", "Slot.start")]


@pytest.mark.parametrize(
    ("appointment", "code", "expression"),
    [
        pytest.param(without(APPOINTMENT, "end"), "invariant", "Appointment", id="app-2"),
        pytest.param(without(APPOINTMENT, "start", "end"), "invariant", "Appointment", id="app-3"),
        pytest.param(
            APPOINTMENT | {"cancelationReason": {"text": "Snow"}},
            "invariant",
            "Appointment.cancelationReason",
            id="app-4",
        ),
        pytest.param(
            APPOINTMENT | {"participant": [{"status": "accepted"}]},
            "invariant",
            "Appointment.participant[0]",
            id="app-1",
        ),
        pytest.param(
            APPOINTMENT | {"participant": [{"actor": {"reference": "Patient/1"}, "status": "yes"}]},
            "code-invalid",
            "Appointment.participant[0].status",
            id="a status of no standard",
        ),
        pytest.param(
            APPOINTMENT | {"participant": [{"actor": {"reference": "Patient/2"}, "status": "accepted"}]},
            "not-found",
            "Appointment.participant[0].actor.reference",
            id="nobody",
        ),
        pytest.param(
            APPOINTMENT | {"slot": [{"reference": "Slot/1"}]},
            "not-found",
            "Appointment.slot[0].reference",
            id="no slot",
        ),
        pytest.param(
            APPOINTMENT
            | {
                "participant": [
                    {"actor": {"reference": f"HealthcareService/{n}"}, "status": "accepted"} for n in (1, 2)
                ]
            },
            "invalid",
            "Appointment.serviceType",
            id="two services",
        ),
        pytest.param(
            APPOINTMENT | {"start": "soon"}, "value", "Appointment.start", id="nothing follows from what is not read"
        ),
        pytest.param(
            APPOINTMENT | {"requestedPeriod": [{"start": "2026-02", "end": "2026-01"}]},
            "value",
            "Appointment.requestedPeriod[0]",
            id="searched backwards",
        ),
    ],
)
def test_invalid_appointments(appointment, code, expression):
    assert refusals(appointment) == [(code, expression)]


def test_a_well_has_a_bottom():
    bottomless = {"url": "u", "valueReference": {"reference": "Patient/1"}}
    for _ in range(900):
        bottomless = {"url": "u", "extension": [bottomless]}
    well = SLOT | {"extension": [bottomless]}
    assert References.collect([well]) == {"Schedule/1", "Patient/1"}
    assert refusals(well) == [("structure", "Slot")]


def test_a_schedule_has_exactly_one_actor():
    actors = [{"reference": "Practitioner/1"}, {"reference": "Patient/1"}]
    assert refusals({"resourceType": "Schedule", "actor": actors}) == [("business-rule", "Schedule.actor")]
    assert refusals({"resourceType": "Schedule"}) == [("required", "Schedule.actor")]
    assert refusals({"resourceType": "Schedule", "actor": [{"display": "Chen"}]}) == [
        ("required", "Schedule.actor[0].reference")
    ]


def test_people_and_places():
    assert refusals({"resourceType": "Patient", "gender": "f"}) == [("code-invalid", "Patient.gender")]
    assert refusals({"resourceType": "PractitionerRole"}) == [("required", "PractitionerRole.practitioner.reference")]
    assert refusals({"resourceType": "Location", "status": "open"}) == [("code-invalid", "Location.status")]
    mars = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": "Mars/Olympus"}
    [(code, _)] = refusals({"resourceType": "Location", "extension": [mars]})
    assert code == "invalid"


def test_answers_find_their_question():
    items = [{"linkId": "1", "type": "group", "item": [{"linkId": "1", "type": "string"}]}]
    assert refusals({"resourceType": "Questionnaire", "status": "active", "item": items}) == [
        ("invariant", "Questionnaire.item[0].item[0].linkId")
    ]


@pytest.mark.parametrize(
    ("resource", "code", "expression"),
    [
        pytest.param(COVERAGE | {"status": "expired"}, "code-invalid", "Coverage.status", id="a status of no standard"),
        pytest.param(without(COVERAGE, "status"), "required", "Coverage.status", id="no status"),
        pytest.param(without(COVERAGE, "beneficiary"), "required", "Coverage.beneficiary", id="for nobody"),
        pytest.param(without(COVERAGE, "payor"), "required", "Coverage.payor", id="paid by nobody"),
        pytest.param(
            COVERAGE | {"payor": [{"display": "Ada"}, {"reference": "Organization/nobody"}]},
            "not-found",
            "Coverage.payor[1].reference",
            id="paid by somebody who is not here",
        ),
        pytest.param(
            COVERAGE | {"period": {"start": "2026-02", "end": "2026-01"}},
            "invalid",
            "Coverage.period.end",
            id="covered backwards",
        ),
        pytest.param(
            {"resourceType": "CareTeam", "participant": [{"member": {"reference": "Device/1"}}]},
            "not-found",
            "CareTeam.participant[0].member.reference",
            id="cared for by a device",
        ),
        pytest.param({"resourceType": "RelatedPerson"}, "required", "RelatedPerson.patient", id="related to nobody"),
        pytest.param(without(ENCOUNTER, "class"), "required", "Encounter.class", id="of no class"),
        pytest.param(ENCOUNTER | {"status": "over"}, "code-invalid", "Encounter.status", id="over"),
        pytest.param(
            ENCOUNTER | {"appointment": [{"reference": "Appointment/1"}]},
            "not-found",
            "Encounter.appointment[0].reference",
            id="of no visit",
        ),
        pytest.param(
            ENCOUNTER | {"period": {"start": "2026-01-05T14:00:00Z", "end": "2026-01-05T13:00:00Z"}},
            "invalid",
            "Encounter.period.end",
            id="over before it began",
        ),
    ],
)
def test_invalid_coverages_care_teams_and_encounters(resource, code, expression):
    assert refusals(resource) == [(code, expression)]


def service_with(*extensions, **elements):
    extension = {"extension": list(extensions)} if extensions else {}
    return {"resourceType": "HealthcareService", **extension, **elements}


@pytest.mark.parametrize(
    ("resource", "code", "expression"),
    [
        pytest.param(
            {"resourceType": "Location", "position": {"latitude": 90.1, "longitude": 0}},
            "value",
            "Location.position.latitude",
            id="north of the pole",
        ),
        pytest.param(
            {"resourceType": "Location", "position": {"latitude": 1, "_longitude": {"id": "lost"}}},
            "required",
            "Location.position.longitude",
            id="half a position",
        ),
        pytest.param(
            service_with({"url": codes.REMINDER, "valueDuration": {"value": 0, "unit": "min"}}),
            "invalid",
            "HealthcareService.extension[0].valueDuration.value",
            id="reminded of what has begun",
        ),
        pytest.param(
            service_with(eligibility=[{"code": {"coding": [{"system": codes.ELIGIBILITY, "code": "vip"}]}}]),
            "code-invalid",
            "HealthcareService.eligibility",
            id="for nobody there is",
        ),
    ],
)
def test_invalid_services_and_places(resource, code, expression):
    assert refusals(resource) == [(code, expression)]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "meet.example/room", True])
def test_a_video_room_is_on_the_web(url):
    room = {"url": codes.MEETING_URL, "valueUrl": url}
    found = refusals({"resourceType": "Schedule", "actor": [{"display": "?"}], "extension": [room]})
    assert [code for code, expression in found if "extension" in expression] == ["value"]


@pytest.mark.django_db
def test_answers_name_existing_questions():
    group = {"linkId": "g", "type": "group", "item": [{"linkId": "g.1", "type": "string"}]}
    form = QuestionnaireFactory(item=[group])
    inner = {"linkId": "g.1", "answer": [{"valueString": "x", "item": [{"linkId": "other"}]}]}
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "item": [{"linkId": "g", "item": [inner]}, {"linkId": "2"}],
    }
    at = "QuestionnaireResponse.item"
    for name in (form.url, f"{form.url}|1.0", form.reference):
        assert refusals({**response, "questionnaire": name}) == [
            ("not-found", f"{at}[0].item[0].answer[0].item[0].linkId"),
            ("not-found", f"{at}[1].linkId"),
        ]
    assert refusals({**response, "questionnaire": "Questionnaire/nobody"}) == [
        ("not-found", "QuestionnaireResponse.questionnaire")
    ]


@pytest.mark.parametrize("resource", [[], None, {}, {"resourceType": "Patient"}])
def test_a_resource_of_another_type_is_refused(resource):
    with pytest.raises(InvalidResource) as refusal:
        RESOURCES["Slot"].from_fhir(resource, References())
    assert [issue.code for issue in refusal.value.issues] == ["structure"]


class KnowsEverybody(References):
    """References without a database. Every reference of an allowed type names a row."""

    def find(self, reference, *allowed_types, path):
        known = reference.partition("/")[0] in allowed_types
        return 1 if known else super().find(reference, *allowed_types, path=path)

    def questionnaire(self, canonical, *, path):
        return None

    def actor(self, kind, pk):
        nothing = SimpleNamespace(all=list)
        return SimpleNamespace(practitioner_id=1, practitioner=None, timezone="", scheduling_parameters=nothing)


ODDITIES = st.one_of(
    st.sampled_from(
        [
            *(None, True, 0, -1, 1.5, 10**30, "", " ", "x", "\0", [], {}, [None], [[]], [{}], ["x"]),
            *("2026-02-30", "24:00:00", "9999-12-31T23:59:59-14:00", "#x", "http://x/Patient/1", "mon", "min"),
        ]
    ),
    st.dictionaries(st.sampled_from(["reference", "url", "extension", "value", "x"]), st.text(max_size=3), max_size=2),
)


def places(node, path=()):
    """Return the path of every element of a resource."""
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in parts:
        yield (*path, name)
        yield from places(value, (*path, name))


@pytest.mark.django_db
@given(st.data())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_read_or_refused(data):
    resource = copy.deepcopy(data.draw(st.sampled_from(RICH)))
    *steps, last = data.draw(st.sampled_from(list(places(resource))))
    node = resource
    for step in steps:
        node = node[step]
    node[last] = data.draw(ODDITIES)
    kind = resource["resourceType"]
    if isinstance(kind, str) and kind in RESOURCES:
        with suppress(InvalidResource):
            RESOURCES[kind].from_fhir(resource, KnowsEverybody())
