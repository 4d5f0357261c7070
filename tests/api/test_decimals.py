"""Decimals keep their precision: https://hl7.org/fhir/R4/datatypes.html#decimal"""

import json
import re
from datetime import UTC, datetime

import pytest

from clinic import exact_json
from clinic.exact_json import ExactNumber
from tests.api.conftest import ids
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory

WEIGHT = "http://example.org/weight"
WRITTEN = ["20.00", "0.010", "1.100", "-3.50", "100.0", "0.0", "5", "12345678901234567890", "0.1234567890123456789"]
XML = "application/fhir+xml"


def answers(values):
    """A QuestionnaireResponse in JSON with these decimals, as numbers and as amounts."""
    answer = [f'{{"valueDecimal": {value}}}, {{"valueQuantity": {{"value": {value}}}}}' for value in values]
    extension = f'{{"url": "{WEIGHT}", "valueDecimal": {values[0]}}}'
    return (
        '{"resourceType": "QuestionnaireResponse", "id": "one", "status": "completed", '
        f'"extension": [{extension}], "item": [{{"linkId": "1", "answer": [{", ".join(answer)}]}}]}}'
    )


def decimals(text):
    return re.findall(r'"value(?:Decimal)?": ?([-+0-9.eE]+)', text)


def decimals_in_xml(text):
    return re.findall(r'<value(?:Decimal)? value="([-+0-9.eE]+)"', text)


def body(response):
    assert response.status_code in (200, 201), response.content
    return response.content.decode()


def test_json_and_xml_give_back_what_was_written(api):
    written = [WRITTEN[0], *(value for value in WRITTEN for _ in range(2))]
    created = api.request("PUT", "QuestionnaireResponse/one", answers(WRITTEN))
    assert decimals(body(created)) == written
    for path in ("QuestionnaireResponse/one", "QuestionnaireResponse?_id=one", "QuestionnaireResponse/one/_history/1"):
        assert decimals(body(api.get(path))) == written, path
        assert decimals_in_xml(body(api.get(path, accept=XML))) == written, path
    assert decimals(body(api.get("QuestionnaireResponse/one?_pretty=true"))) == written
    again = body(api.get("QuestionnaireResponse/one", accept=XML))
    other = api.request("PUT", "QuestionnaireResponse/two", again.replace('"one"', '"two"'), content_type=XML)
    assert decimals(body(other)) == written


def test_history_and_patches_keep_it_and_another_precision_is_another_version(api):
    api.request("PUT", "QuestionnaireResponse/one", answers(["20.00"]))
    assert api.request("PUT", "QuestionnaireResponse/one", answers(["20.00"]))["ETag"] == 'W/"1"'
    assert api.request("PUT", "QuestionnaireResponse/one", answers(["20.0"]))["ETag"] == 'W/"2"'
    patch = '[{"op": "replace", "path": "/item/0/answer/0/valueDecimal", "value": 7.250}]'
    patched = api.patch("QuestionnaireResponse/one", patch)
    assert decimals(body(patched)) == ["20.0", "7.250", "20.0"]
    past = [decimals(body(api.get(f"QuestionnaireResponse/one/_history/{n}"))) for n in (1, 2, 3)]
    assert past == [["20.00"] * 3, ["20.0"] * 3, ["20.0", "7.250", "20.0"]]


def test_a_bundle_keeps_it(api):
    entry = f'{{"resource": {answers(["1.100"])}, "request": {{"method": "PUT", "url": "QuestionnaireResponse/one"}}}}'
    bundle = f'{{"resourceType": "Bundle", "type": "transaction", "entry": [{entry}]}}'
    response = body(api.post("", bundle, prefer="return=representation"))
    assert decimals(response) == ["1.100"] * 3


def test_a_column_of_numbers_says_them_as_they_were_said(api):
    """Positions and lengths are columns; where a column keeps fewer digits, the digits as sent are kept too."""
    place = (
        '{"resourceType": "Location", "id": "a", "name": "A", "position": {"longitude": -73.970, "latitude": 40.80}}'
    )
    assert '"position":{"latitude":40.80,"longitude":-73.970}' in body(api.request("PUT", "Location/a", place))
    assert ids(api.get("Location?near=40.8|-73.97|1|km")) == ["a"]
    api.request("PUT", "Location/a", place.replace("40.80", "40.81"))
    assert '"latitude":40.81' in body(api.get("Location/a"))
    service = json.loads(body(api.get(ServiceFactory(fhir_id="check", duration=30).reference)))
    sent = json.dumps(service).replace('"value": 30', '"value": 30.0')
    assert sent.count('"value": 30.0') == 1
    assert '"value":30.0' in body(api.request("PUT", "HealthcareService/check", sent))


def test_a_search_compares_the_numbers(api):
    usage = '{"code": {"system": "http://x", "code": "age"}, "valueQuantity": {"value": 5.40, "unit": "a"}}'
    form = f'{{"resourceType": "Questionnaire", "status": "active", "id": "q", "useContext": [{usage}]}}'
    assert '"value":5.40' in body(api.request("PUT", "Questionnaire/q", form))
    for query in ("5.4", "5.40", "ge5.4", "lt5.41"):
        assert ids(api.get(f"Questionnaire?context-quantity={query}")) == ["q"], query


def test_a_repeated_booking_keeps_its_decimals(api):
    """The fingerprint and the response of a request keep their digits too."""
    service = ServiceFactory()
    schedule = ScheduleFactory(services=[service])
    query = {"service-type-reference": service.reference, "schedule": schedule.reference}
    proposal = api.get("Appointment/$find", query).fhir["entry"][0]["resource"]
    actor = {"reference": PatientFactory().reference}
    proposal["participant"].append({"actor": actor, "status": "accepted"})
    proposal["extension"] = [{"url": WEIGHT, "valueDecimal": 0}]
    sent = json.dumps(proposal).replace('"valueDecimal": 0', '"valueDecimal": 0.010')
    first = body(api.post("Appointment/$book", sent, idempotency_key="one"))
    again = api.post("Appointment/$book", sent, idempotency_key="one")
    assert again["Idempotency-Replayed"] == "true"
    assert decimals(first) == decimals(body(again)) == ["0.010"]


@pytest.mark.parametrize("text", ["1e999", "-1e999", "9" * 400])
def test_a_number_that_nothing_can_hold_is_refused(api, text):
    assert api.request("PUT", "QuestionnaireResponse/one", answers([text])).status_code == 400


def test_more_digits_than_can_be_kept_are_rounded(api):
    response = decimals(body(api.request("PUT", "QuestionnaireResponse/one", answers(["0." + "1" * 100]))))
    assert float(response[0]) == pytest.approx(1 / 9)


def test_numbers_count_the_same_whatever_their_precision():
    assert ExactNumber("20.00") == ExactNumber("20.0") == 20
    assert exact_json.is_same({"a": ExactNumber("20.00")}, {"a": ExactNumber("20.00")})
    assert not exact_json.is_same({"a": ExactNumber("20.00")}, {"a": 20.0})
    assert exact_json.is_same(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC))
