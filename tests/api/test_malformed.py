"""Malformed requests are refused with the reason, and never make the server fail."""

import http.client
import json

import pytest
from oauth2_provider.models import AccessToken

from api.operations.registry import OPERATIONS
from clinic.fhir.resources import RESOURCES
from tests.api.conftest import codes, texts
from tests.factories import PatientFactory

DEEP = 5000
NAME = b'{"resourceType": "Patient", "name": [{"family": "%s"}]}'
BODIES = {
    "nothing": b"",
    "white space": b"  \n",
    "half": b'{"resourceType": "Pat',
    "a list": b"[]",
    "a string": b'"Patient"',
    "a number": b"1",
    "null": b"null",
    "nan": b'{"resourceType": "Patient", "active": NaN}',
    "infinity": b'{"resourceType": "Patient", "multipleBirthInteger": 1e999}',
    "a long number": b'{"resourceType": "Patient", "multipleBirthInteger": %s}' % (b"9" * 5000),
    "a large number": b'{"resourceType": "Patient", "multipleBirthInteger": 99999999999999999999}',
    "deep lists": b'{"resourceType": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "rather deep": b'{"resourceType": "Patient", "extension": ' + b'[{"extension": ' * 90 + b"[]" + b"}]" * 90 + b"}",
    "not utf-8": b'{"resourceType": "Patient", "name": "\xff\xfe"}',
    "utf-16": json.dumps({"resourceType": "Patient"}).encode("utf-16"),
    "nul": NAME % b"\\u0000",
    "raw nul": NAME % b"\x00",
    "surrogate": NAME % b"\\ud800",
    "control": NAME % b"\\u0001",
    "said twice": b'{"resourceType": "Patient", "resourceType": "Slot"}',
    "no type": b"{}",
    "type of another type": b'{"resourceType": 7}',
    "unknown type": b'{"resourceType": "Nonsense"}',
    "name is a string": b'{"resourceType": "Patient", "name": "Ada"}',
    "nothing in lists": b'{"resourceType": "Patient", "name": [null], "identifier": []}',
    "contained nonsense": b'{"resourceType": "Patient", "contained": [1]}',
    "extension without url": b'{"resourceType": "Patient", "extension": [{}]}',
    "a bundle of nonsense": b'{"resourceType": "Bundle", "type": "transaction", "entry": [1, null, {}, []]}',
    "a bundle of odd types": b'{"resourceType": "Bundle", "type": ["transaction"], "entry": {}}',
    "a bundle in a bundle": b'{"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": '
    b'{"resourceType": "Bundle"}, "request": {"method": "POST", "url": "Bundle"}}]}',
    "odd requests": b'{"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"resourceType": "Slot"}, '
    b'"request": {"method": ["POST"], "url": {}, "ifMatch": 1}}]}',
    "parameters of nonsense": b'{"resourceType": "Parameters", "parameter": [{"name": 1}, 2, null]}',
    "a slot of nonsense": b'{"resourceType": "Slot", "schedule": [], "start": 1, "end": {}, "status": null}',
    "a schedule of nonsense": b'{"resourceType": "Schedule", "actor": [{"reference": "\\u0001"}, 1], '
    b'"planningHorizon": {"start": "9999", "end": "0000"}, "extension": [{"url": 1}]}',
    "an appointment of nonsense": b'{"resourceType": "Appointment", "participant": {}, "slot": [{}], "start": "x"}',
}
QUERIES = [
    "_id=\x00",
    "\x00=1",
    "_id=" + "x" * 3000,
    "_count=" + "9" * 400,
    "_count=%EF%BC%91",
    "_sort=,,,",
    "_sort=-",
    "_cursor=%FF",
    "_cursor=:::",
    "_lastUpdated=0000",
    "_lastUpdated=9999",
    "_lastUpdated=9999-12-31T23:59:59.999999-14:00",
    "_lastUpdated=2026-02-30",
    "_lastUpdated=2026-01-01T25:00:00Z",
    "_lastUpdated=eq",
    "_include=:",
    "_include=*",
    "identifier=|",
    "identifier=||||",
    "identifier=\\",
    ",=,",
    ".=1",
    ":=1",
    "a.b.c.d=1",
    "schedule." * 500 + "actor=1",
    "_id:not=1",
    "_id:=1",
    "name=%",
    "name=%FF%FE",
    "&&&=&=",
    "&".join(f"_id={number}" for number in range(900)),
]
PATHS = [
    "",
    "metadata",
    *RESOURCES,
    *(f"{kind}/x" for kind in RESOURCES),
    "Slot/_search",
    "Slot/x/_history/y",
    *(f"{each.resource}/${each.name}" for each in OPERATIONS if each.on_type),
    *(f"{each.resource}/x/${each.name}" for each in OPERATIONS if each.on_instance),
    "..",
    "%00",
    "%FF",
    "$find",
    "Slot/" + "x" * 70,
    "Slot/x%00",
]


# Without parameters this operation is about all Subscriptions.
WITHOUT_INPUT = [("Subscription/$status", b""), ("Subscription/$status", b"{}")]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_no_body_is_too_odd(api, body):
    for path in ("", "Patient", "Slot", "Schedule", "Appointment", "HealthcareService", "Patient/$match"):
        assert 400 <= api.post(path, body).status_code < 500 or b"batch" in body
    for operation in OPERATIONS:
        path = f"{operation.resource}/{'' if operation.on_type else 'x/'}${operation.name}"
        status = api.post(path, body).status_code
        assert 400 <= status < 500 or (path, body) in WITHOUT_INPUT
    for kind in RESOURCES:
        assert 400 <= api.put(f"{kind}/x", body).status_code < 500


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_no_query_is_too_odd(api, query):
    for path in ("Patient", "Slot", "Schedule", "Appointment", "Appointment/$find", "metadata", "Patient/x"):
        assert api.request("GET", f"{path}?{query}").status_code < 500


@pytest.mark.parametrize("path", PATHS)
def test_no_path_is_too_odd(api, path):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "NONSENSE"):
        assert api.request(method, path, b"{").status_code < 500


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "application/fhir+xml"},
        {"accept": "/"},
        {"accept": ";;;,,,"},
        {"accept": "*/*;q=nonsense"},
        {"if_none_match": ",,\x7f"},
        {"if_match": 'W/"' + "9" * 50 + '"'},
        {"if_match": "nonsense"},
        {"if_none_exist": "nonsense"},
        {"if_none_exist": "identifier=\x00"},
        {"prefer": ";;=,return"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer \xff"},
        {"authorization": "Basic nonsense"},
        {"authorization": "Bearer " + "x" * 5000},
    ],
)
def test_no_header_is_too_odd(api, headers):
    body = {"resourceType": "Patient", "id": "x"}
    for method, path in (("GET", "Patient"), ("GET", "Patient/x"), ("POST", "Patient"), ("PUT", "Patient/x")):
        assert api.request(method, path, body, **headers).status_code < 500


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/json-patch+json",
        "application/xhtml+xml",
        "multipart/form-data",
        "a/b;charset=",
        "application/json; charset=utf-16",
    ],
)
def test_other_types_of_content_are_not_supported(api, content_type):
    response = api.post("Patient", b"{}", content_type=content_type)
    assert (response.status_code, codes(response)) == (415, ["not-supported"])


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/fhir+json; charset=UTF-8; fhirVersion=4.0", "text/json"]
)
def test_json_has_several_names(api, content_type):
    assert api.post("Patient", b'{"resourceType": "Patient"}', content_type=content_type).status_code == 201


def test_invalid_json_is_refused_with_its_position(api):
    response = api.post("Patient", '{\n  "resourceType": Patient\n}')
    assert (response.status_code, codes(response)) == (400, ["structure"])
    assert texts(response) == "This is not JSON: Expecting value at line 2 column 19."


def test_a_transaction_of_two_megabytes_is_read_and_one_of_ten_is_not(api):
    empty, tag = {"resourceType": "Bundle", "type": "transaction"}, {"display": "x" * 100_000}
    assert api.post("", {**empty, "meta": {"tag": [tag] * 20}}).status_code == 200
    response = api.post("", {**empty, "meta": {"tag": [tag] * 100}})
    assert (response.status_code, codes(response)) == (413, ["too-long"])


def test_a_form_is_limited_too(api):
    form = "application/x-www-form-urlencoded"
    assert api.post("Patient/_search", "name=" + "x" * 9_000_000, content_type=form).status_code == 413
    assert api.post("Patient/_search", "name=x&" * 2000, content_type=form).status_code == 400


def test_text_of_any_script_comes_back_as_it_was_sent(api):
    name = "Zoë 张 😀 \\u0000"
    made = api.post("Patient", {"resourceType": "Patient", "name": [{"family": name}]})
    assert made.fhir["name"] == [{"family": name}]
    assert api.get("Patient", {"family": "zoë"}).fhir["total"] == 1


def test_percent_signs_stand_for_themselves(api):
    PatientFactory(family="Quinn")
    assert api.get("Patient", {"family": "%"}).fhir["total"] == 0
    assert api.get("Patient", {"family": "_uinn"}).fhir["total"] == 0


@pytest.mark.django_db(transaction=True)
def test_a_body_that_is_too_large_is_refused_with_the_reason(live_server, api):
    """A response before the end of the body would be lost with the connection."""
    connection = http.client.HTTPConnection(live_server.thread.host, live_server.thread.port, timeout=30)
    headers = {"Authorization": f"Bearer {AccessToken.objects.get().token}", "Content-Type": "application/fhir+json"}
    connection.request("POST", "/fhir/R4/Patient", b'{"resourceType":"' + b"x" * 10_500_000, headers)
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["issue"][0]["code"] == "too-long"
    connection.close()
