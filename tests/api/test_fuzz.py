"""No request body makes the server fail: every element of every type with JSON of the wrong type.

A few examples of each by default, always the same. `FUZZ=1000 pytest tests/api/test_fuzz.py` tries so many of each.
"""

import json
import os
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.operations.registry import OPERATIONS
from clinic.fhir.definitions import elements_of, model_of
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from tests.api.access.world import World
from tests.api.conftest import api_with

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("FUZZ", "3"))
bounded = settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

TEXTS = (
    *("", " ", "x", "x" * 300, "\u0001", "\u202e", "Patient/1", "Patient/" + "x" * 70, "#a", "urn:uuid:1", "http://["),
    *("2026", "2026-13", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-14:00", "24:00:00", "T", "1e999", "null"),
    *("https://xn--.example", "https://\ud7ff.example/", "%00", "$%&", "booked", "busy", "free", "Mars/Olympus_Mons"),
)
NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 1e-300, 1.5, -0.0, 1e308)
PLAIN = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.none(),
    st.booleans(),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8),
)
ODD = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("reference", "url", "code", "system", "value", "start", "extension", "coding", "id", "x")),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of the values in an example of a resource."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for name, child in children for place in places(child, (*path, name)))]


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    body = deepcopy(body)
    node = body
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return body


def answered(response: Any, sent: Any) -> None:
    assert response.status_code < 500 or response.status_code == 501, json.dumps(sent)[:2000]


@pytest.fixture
def api(db):
    """A client that returns failures of the server as responses, and rows to refer to."""
    World()
    api = api_with()
    api.client.raise_request_exception = False
    return api


@pytest.mark.parametrize("kind", RESOURCES)
def test_no_element_is_too_odd(api, kind):
    """Valid resources, with one or two of their elements replaced, and with other elements of the definition added."""
    row = rows_of(RESOURCES[kind]).first()
    right = to_fhir(row)
    known = places(right)[1:]
    names = sorted(set(elements_of(model_of(kind))) - {"resourceType"})

    @bounded
    @given(data=st.data())
    def odd(data):
        body = right
        for _ in range(data.draw(st.integers(1, 2))):
            if data.draw(st.booleans()):
                candidate = data.draw(st.sampled_from(known))
                try:
                    body = replaced(body, candidate, data.draw(ODD))
                except (KeyError, IndexError, TypeError):
                    continue
            else:
                body = {**body, data.draw(st.sampled_from(names)): data.draw(ODD)}
        answered(api.post(kind, body), body)
        answered(api.put(f"{kind}/{row.fhir_id}", body), body)
        answered(api.post(f"{kind}/$validate", body), body)

    odd()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_no_parameter_is_too_odd(api, operation):
    addresses = [f"{operation.resource}/{'' if operation.on_type else 'x/'}${operation.name}".removeprefix("/")]
    names = [each.name for each in operation.parameters] or ["x"]
    kinds = [f"value{each.type[:1].upper()}{each.type[1:]}" for each in operation.parameters] or ["valueString"]
    one = st.fixed_dictionaries(
        {"name": st.sampled_from(names) | PLAIN},
        optional={"resource": ODD, **dict.fromkeys(kinds, ODD), "valueReference": ODD, "part": ODD},
    )

    @bounded
    @given(
        parameters=st.lists(one | ODD, max_size=4) | ODD, bare=st.dictionaries(st.sampled_from(names), ODD, max_size=3)
    )
    def odd(parameters, bare):
        for address in addresses:
            for body in ({"resourceType": "Parameters", "parameter": parameters}, bare):
                answered(api.post(address, body), body)

    odd()


def test_no_bundle_is_too_odd(api):
    row = rows_of(RESOURCES["Location"]).first()
    request = st.fixed_dictionaries(
        {"method": st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")) | ODD},
        optional={
            "url": st.sampled_from((row.reference, "Location", "Patient?name=x", "Nonsense/1", "$find")) | ODD,
            **dict.fromkeys(("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince"), ODD),
        },
    )
    resource = st.just(to_fhir(row)) | ODD
    entry = st.fixed_dictionaries({}, optional={"request": request | ODD, "resource": resource, "fullUrl": ODD}) | ODD

    @settings(bounded, max_examples=EXAMPLES * 5)
    @given(kind=st.sampled_from(("batch", "transaction")) | ODD, entries=st.lists(entry, max_size=3) | ODD)
    def odd(kind, entries):
        body = {"resourceType": "Bundle", "type": kind, "entry": entries}
        answered(api.post("", body), body)

    odd()


PATCHES = (
    "application/json-patch+json",
    "application/fhir+json",
    "application/xml-patch+xml",
    "application/merge-patch+json",
)


@pytest.mark.parametrize("kind", ["Patient", "Appointment", "Schedule", "Subscription"])
def test_no_patch_is_too_odd(api, kind):
    row = rows_of(RESOURCES[kind]).first()
    paths = ["/" + "/".join(map(str, place)) for place in places(to_fhir(row))]
    operation = st.fixed_dictionaries(
        {"op": st.sampled_from(("add", "remove", "replace", "move", "copy", "test")) | ODD},
        optional={"path": st.sampled_from(paths) | ODD, "from": st.sampled_from(paths) | ODD, "value": ODD},
    )
    part = st.fixed_dictionaries(
        {"name": st.sampled_from(("type", "path", "name", "value", "index"))},
        optional={
            **dict.fromkeys(("valueCode", "valueString", "valueInteger", "valueReference"), ODD),
            "part": ODD,
        },
    )
    fhirpath = st.fixed_dictionaries({"name": st.just("operation"), "part": st.lists(part, max_size=5) | ODD})

    @settings(bounded, max_examples=EXAMPLES * 3)
    @given(operations=st.lists(operation | ODD, max_size=3) | ODD, parameters=st.lists(fhirpath | ODD, max_size=2))
    def odd(operations, parameters):
        for media_type in PATCHES:
            answered(api.patch(row.reference, operations, media_type), operations)
        body = {"resourceType": "Parameters", "parameter": parameters}
        answered(api.patch(row.reference, body, "application/fhir+json"), body)

    odd()


TYPES = (
    *("application/fhir+json", "application/json", "text/json", "application/fhir+json; charset=utf-16"),
    *("application/fhir+json; charset=nonsense", "application/fhir+json; fhirVersion=9.9", "application/fhir+xml"),
    *("application/xml; charset=latin-1", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x"),
    *(
        "application/x-www-form-urlencoded",
        "x",
        ";",
        "application/",
        "application/fhir+json;;;=",
        "",
        "*/*",
        "\u00e9/x",
    ),
)
RAW = (
    *(b"", b"{", b"{}", b"[]", b"null", b'{"resourceType":"Patient"}', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}"),
    *(b'{"resourceType":"Patient","active":NaN}', b'{"resourceType":"Patient","active":-Infinity}'),
    *(b'{"resourceType":"Patient","resourceType":"Patient"}', b'{"a":{"b":1,"b":2}}', b'{"a":"\\udc00"}'),
    *(
        b'{"a":"\\u0000"}',
        b"<Patient xmlns='http://hl7.org/fhir'/>",
        b"<Patient/>",
        b"<!DOCTYPE x><x/>",
        b"--x--",
        b"a=%zz",
    ),
)


@pytest.mark.parametrize("content_type", TYPES)
def test_no_media_type_is_too_odd(api, content_type):
    for raw in RAW:
        for method, path in (("POST", "Patient"), ("PUT", "Patient/x"), ("PATCH", "Patient/x"), ("POST", "")):
            answered(api.request(method, path, raw, content_type=content_type), str((content_type, raw)))
        for path in ("Patient/_search", "Appointment/$find", "Appointment/$book"):
            answered(api.request("POST", path, raw, content_type=content_type), str((content_type, raw)))


@pytest.mark.parametrize(
    "endpoint", [7, 1.5, True, ["https://a.example"], {"value": "https://a.example"}, [], {}, None, ""]
)
def test_the_endpoint_of_a_subscription_is_an_address(api, endpoint):
    channel = {"type": "rest-hook", "endpoint": endpoint, "payload": "application/fhir+json"}
    body = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "x",
        "criteria": "Slot?",
        "channel": channel,
    }
    response = api.post("Subscription", body)
    assert response.status_code == 400
    assert any("endpoint" in each for issue in response.fhir["issue"] for each in issue.get("expression", []))
