"""Resources that are recognised as plain have a valid form: the FHIR library finds no issue with any of them."""

from collections.abc import Iterator
from copy import deepcopy

import pytest

from clinic.fhir import validation
from clinic.fhir.plain_form import is_plain
from tests.clinic.round_trips import RICH
from tests.clinic.test_fhir_refusals import APPOINTMENT, COVERAGE, ENCOUNTER, SLOT, TOO_DEEP

VISIT_TYPE = {
    "url": "https://medplum.com/fhir/service-type-reference",
    "valueReference": {"reference": "HealthcareService/1"},
}
PROPOSAL = {
    **APPOINTMENT,
    "id": "proposed-1",
    "meta": {"profile": ["http://example.org/profile"], "lastUpdated": "2026-01-05T14:00:00.123Z"},
    "serviceType": [{"extension": [VISIT_TYPE], "text": "Check-up \u2019"}],
    "created": "2026-01-05T14:00:00-05:00",
    "comment": "Zo\u00eb, at the door",
    "participant": [
        {"actor": {"reference": "Patient/1", "display": "Ada"}, "status": "accepted"},
        {"type": [{"coding": [{"code": "PPRF", "userSelected": True}]}], "status": "needs-action"},
    ],
}
DEEP = {**PROPOSAL, "extension": [TOO_DEEP]}
BAD = [
    None,
    "",
    " ",
    "\x00",
    "a\nb",
    "two words",
    "\ud800",
    "not known",
    0,
    -1,
    1.5,
    True,
    [],
    [None],
    [[]],
    ["a", None],
    {},
    {"a": 1},
    [{}],
    [{"resourceType": "Slot"}],
    {"reference": 7},
    {"reference": None},
    "2026-02-31T10:00:00Z",
    "2026-01-05T10:00:00",
    "2026-01-05T24:00:00Z",
    "2026-01-05T23:59:60Z",
    "0000-01-05T10:00:00Z",
    "2026-01-05T10:00:00+14:30",
    "2026-01-05",
    "x" * 65,
]
NAMES = [
    "_status",
    "status",
    "resourceType",
    "valueString",
    "valueBoolean",
    "url",
    "reference",
    "name",
    "fhir_comments",
]
RESOURCES = [PROPOSAL, SLOT, COVERAGE, ENCOUNTER, DEEP, *RICH]


def places(node, path=()) -> Iterator[tuple]:
    yield path
    if isinstance(node, dict):
        for name, value in node.items():
            yield from places(value, (*path, name))
    elif isinstance(node, list):
        for n, value in enumerate(node):
            yield from places(value, (*path, n))


def at(node, path):
    for step in path:
        node = node[step]
    return node


def changed(resource) -> Iterator[dict]:
    """The resource with one value missing or another one, and with one more element, at each place."""
    for path in list(places(resource))[1:]:
        without = deepcopy(resource)
        del at(without, path[:-1])[path[-1]]
        yield without
        for value in BAD:
            other = deepcopy(resource)
            at(other, path[:-1])[path[-1]] = value
            yield other
    for path in places(resource):
        if isinstance(at(resource, path), dict):
            for name in NAMES:
                for value in ("a", True, [{}], {"id": "a"}):
                    more = deepcopy(resource)
                    at(more, path)[name] = value
                    yield more


def issues(resource, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(validation, "is_plain", lambda resource, kind: False)
        return validation.validate(deepcopy(resource), resource["resourceType"])


def test_a_proposal_is_plain():
    assert is_plain(PROPOSAL, "Appointment")
    assert is_plain(SLOT, "Slot")


def test_what_needs_a_closer_look_is_not():
    assert not is_plain({**PROPOSAL, "contained": [SLOT]}, "Appointment")
    assert not is_plain(DEEP, "Appointment")
    assert not is_plain(PROPOSAL, "Nothing")


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: None)
def test_what_is_plain_has_no_issue(resource, monkeypatch):
    kind = resource["resourceType"]
    plain = [
        each for each in (resource, *changed(resource)) if each.get("resourceType") == kind and is_plain(each, kind)
    ]
    assert [each for each in plain if issues(each, monkeypatch)] == []
