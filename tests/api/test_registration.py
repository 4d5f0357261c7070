"""A patient is registered once: https://hl7.org/fhir/R4/http.html#create, as Argonaut Scheduling profiles it.

Who registers somebody who is a patient already hears who that is, and nothing more of them.
"""

from datetime import date

import pytest
from django.utils import timezone

from clinic.models import Patient
from scheduling.access import Caller
from scheduling.interactions import SeveralMatch
from scheduling.interactions.registration import register
from tests.api.conftest import Api, api_with, codes
from tests.api.people import described
from tests.factories import PatientFactory, UserFactory
from tests.scheduling.situations import SOFTWARE, at_once

MRN = "http://example.org/mrn"


def identified(value, system=MRN):
    return [{"system": system, "value": value}]


@pytest.fixture
def maria(db):
    return PatientFactory(
        family="Núñez",
        given="María José",
        birth_date=date(1980, 2, 29),
        gender="female",
        phone="+1 212 555 0177",
        identifier=identified("17"),
    )


def test_a_new_patient_is_created(api):
    response = api.post("Patient", described())
    assert response.status_code == 201
    assert response["Location"].endswith(f"/Patient/{response.fhir['id']}/_history/1")


@pytest.mark.parametrize(
    "sent",
    [
        described(),
        described(family="NUNEZ", given=("maria  jose",)),
        described(family="Other", given=("Name",), born="1999-01-01", identifier=identified("17")),
        {"resourceType": "Patient", "identifier": identified("17")},
    ],
    ids=["the same", "without accents, in capitals", "the same identifier", "nothing but the identifier"],
)
def test_a_known_patient_is_found(api, maria, sent):
    response = api.post("Patient", sent)
    assert response.status_code == 200
    assert response["Location"].endswith(maria.reference)
    assert response.fhir == {**sent, "id": maria.fhir_id}
    assert "ETag" not in response
    assert "Last-Modified" not in response
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(
    "sent",
    [
        described(born="1980-02-28"),
        described(gender="male"),
        described(given=("María",)),
        {key: value for key, value in described().items() if key != "birthDate"},
        described(identifier=identified("18")),
        described(born="1999-01-01", identifier=[{"value": "17"}]),
    ],
    ids=["born otherwise", "of another gender", "fewer names", "without birth date", "a namesake", "no system"],
)
def test_a_doubtful_match_is_created(api, maria, sent):
    assert api.post("Patient", sent).status_code == 201


def test_where_several_could_be_meant_nobody_is_named(api, maria):
    PatientFactory(identifier=identified("17"), family="Secret")
    response = api.post("Patient", described(identifier=identified("17")))
    assert (response.status_code, codes(response)) == (412, ["multiple-matches"])
    assert "Secret" not in str(response.fhir)
    assert maria.fhir_id not in str(response.fhir)


@pytest.mark.parametrize("change", [{"deleted_at": timezone.now()}, {"active": False}])
def test_a_former_patient_is_registered_again(api, maria, change):
    Patient.objects.filter(pk=maria.pk).update(**change)
    assert api.post("Patient", described()).status_code == 201


def test_a_known_patient_is_neither_shown_nor_changed(maria):
    response = api_with("system/Patient.c").post("Patient", described(telecom=[{"system": "phone", "value": "1"}]))
    assert maria.phone not in str(response.fhir)
    maria.refresh_from_db()
    assert (maria.version, maria.phone) == (1, "+1 212 555 0177")


def test_a_condition_without_a_match_registers_no_known_patient_again(api, maria):
    """If-None-Exist with an identifier that only the client knows does not hide that it is the same person."""
    for condition in (f"identifier={MRN}|99", f"identifier={MRN}|17"):
        response = api.post("Patient", described(), if_none_exist=condition)
        assert (response.status_code, response.fhir["id"]) == (200, maria.fhir_id)
    stranger = api.post("Patient", described(family="Other"), if_none_exist=f"identifier={MRN}|99")
    assert stranger.status_code == 201
    entry = {"resource": described(), "request": {"method": "POST", "url": "Patient", "ifNoneExist": "_id=nobody"}}
    result = api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).fhir["entry"][0]
    assert result["response"]["location"].endswith(maria.reference)
    assert Patient.objects.count() == 2


def test_a_conditional_update_uses_the_clients_condition_only(api, maria):
    response = api.put(f"Patient?identifier={MRN}|99", described(identifier=identified("99", "http://other")))
    assert response.status_code == 201


def test_in_a_transaction_others_refer_to_who_is_known(api, maria):
    coverage = {
        "resourceType": "Coverage",
        "status": "active",
        "beneficiary": {"reference": "urn:uuid:1"},
        "payor": [{"display": "Acme"}],
    }
    entries = [
        {"fullUrl": "urn:uuid:1", "resource": described(), "request": {"method": "POST", "url": "Patient"}},
        {"fullUrl": "urn:uuid:2", "resource": coverage, "request": {"method": "POST", "url": "Coverage"}},
    ]
    response = api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    responses = [each["response"] for each in response.fhir["entry"]]
    assert [each["status"] for each in responses] == ["200 OK", "201 Created"]
    assert responses[0]["location"].endswith(maria.reference)
    assert "etag" not in responses[0]
    assert maria.coverages.count() == 1


def test_the_front_desk_registers_too(maria, rana):
    desk = Api(user=rana)
    assert desk.post("Patient", described()).status_code == 200
    assert desk.post("Patient", described(family="Quinn")).status_code == 201


@pytest.mark.parametrize("scopes", ["system/Patient.rus", "system/Coverage.c"])
def test_software_registers_with_the_scope_for_it(maria, scopes):
    assert api_with(scopes).post("Patient", described()).status_code == 403


def test_other_callers_cannot_register(maria, chen):
    for user in (chen.user, UserFactory()):
        assert Api(user=user).post("Patient", described()).status_code == 403


def test_an_invalid_patient_is_refused(api, maria):
    response = api.post("Patient", {**described(), "gender": "unsaid"})
    assert (response.status_code, codes(response)) == (400, ["code-invalid"])


@pytest.mark.django_db(transaction=True)
def test_two_who_register_somebody_at_once_register_one():
    results = at_once([lambda: register(described(), caller=SOFTWARE, now=timezone.now())] * 4)
    assert Patient.objects.count() == 1
    assert {patient.pk for patient in results} == {Patient.objects.get().pk}


def test_others_register_by_the_same_function(maria):
    assert register(described(), caller=SOFTWARE, now=timezone.now()) == maria
    assert Patient.objects.get() == maria
    PatientFactory(identifier=identified("17"))
    with pytest.raises(SeveralMatch):
        register(
            described(identifier=identified("17")),
            caller=Caller(client="x", scopes=("system/Patient.c",)),
            now=timezone.now(),
        )


def test_many_take_few_statements(api, maria, django_assert_max_num_queries):
    entries = [
        {"resource": described(family=f"Núñez {n}"), "request": {"method": "POST", "url": "Patient"}} for n in range(50)
    ]
    with django_assert_max_num_queries(12):
        response = api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert {each["response"]["status"] for each in response.fhir["entry"]} == {"201 Created"}
