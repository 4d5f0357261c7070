"""Scopes of a token: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html"""

import pytest
from oauth2_provider.models import AccessToken

from clinic.models import Appointment, AuditEvent, IdempotencyKey
from scheduling.access import grantable, read_scope
from tests.api.conftest import api_with, codes, ids
from tests.api.visits import BOOK, FIND, HOLD, find_query, found, proposal, visit
from tests.factories import (
    AppointmentFactory,
    CoverageFactory,
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.scheduling.situations import monday


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("patient/Appointment.rs", "rs"),
        ("user/*.cruds", "cruds"),
        ("system/Slot.s?status=free&start=ge2026-01-01", "s"),
        ("patient/Appointment.read", "rs"),
        ("patient/Appointment.write", "cud"),
        ("patient/*.*", "cruds"),
    ],
)
def test_scopes_of_both_versions_are_read(text, may):
    assert read_scope(text).may == may


@pytest.mark.parametrize(
    "text",
    [
        "patient/Appointment.sr",
        "patient/Appointment.",
        "patient/appointment.r",
        "Appointment.r",
        "patient/*.rs?",
        "openid",
    ],
)
def test_other_scopes_give_no_access_to_resources(text):
    assert read_scope(text) is None


@pytest.mark.parametrize(
    ("requested", "allowed", "granted"),
    [
        ("patient/Appointment.rs", "patient/*.rs", "patient/Appointment.rs"),
        ("patient/Appointment.read", "patient/Appointment.rs", "patient/Appointment.read"),
        ("patient/*.cruds", "patient/Appointment.rs openid", "patient/Appointment.rs"),
        (
            "patient/Appointment.cruds",
            "patient/*.rs patient/Appointment.c",
            "patient/Appointment.rs patient/Appointment.c",
        ),
        ("patient/Slot.rs?status=busy", "patient/Slot.r", "patient/Slot.r?status=busy"),
        ("patient/Slot.rs", "patient/Slot.rs?status=busy", "patient/Slot.rs?status=busy"),
        ("user/Appointment.rs", "patient/*.cruds", ""),
        ("openid launch/patient launch/encounter", "openid launch/patient", "openid launch/patient"),
        ("system/*.cruds", "", ""),
    ],
)
def test_no_more_is_granted_than_is_allowed(requested, allowed, granted):
    assert " ".join(grantable(requested.split(), allowed.split())) == granted


def test_a_patient_scope_opens_one_patient(app, visits, ada, leo, bo):
    api = app.api(ada.user, "patient/Appointment.rs patient/Patient.rs", whose=leo.fhir_id)
    assert ids(api.get("Appointment")) == ["of-leo"]
    assert ids(api.get("Patient")) == [leo.fhir_id]
    for hidden in ("Appointment/of-ada", "Appointment/of-bo", ada.reference, bo.reference):
        assert api.get(hidden).status_code == 404


def test_a_user_scope_opens_what_the_person_sees(app, visits, ada):
    api = app.api(ada.user, "user/Appointment.rs")
    assert set(ids(api.get("Appointment"))) == {"of-ada", "of-leo"}
    assert api.get("Appointment/of-bo").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "Appointment?patient:Patient.family=Quinn",
        "Appointment?_include=Appointment:patient",
        "Slot?_include=Slot:schedule",
        "Patient?_id={ada}",
    ],
)
def test_neither_chain_nor_include_leads_past_the_scopes(app, visits, ada, leo, query):
    api = app.api(ada.user, "patient/Appointment.rs patient/Patient.rs patient/Slot.rs", whose=leo.fhir_id)
    text = api.get(query.format(ada=ada.fhir_id)).content.decode()
    assert "of-ada" not in text
    assert f'"{ada.fhir_id}"' not in text


def test_requests_beyond_the_scope_are_refused(app, visits, ada):
    CoverageFactory(beneficiary=ada)
    api = app.api(ada.user, "patient/Appointment.rs", whose=ada.fhir_id)
    for response in (
        api.get("Coverage"),
        api.get("Patient"),
        api.post("Appointment/of-ada/$cancel"),
        api.put(ada.reference, {"resourceType": "Patient", "id": ada.fhir_id}),
        api.post("Coverage", {"resourceType": "Coverage"}),
    ):
        assert (response.status_code, codes(response)) == (403, ["forbidden"])


def test_no_scope_lets_an_app_do_what_its_person_may_not(app, visits, ada, bo):
    api = app.api(ada.user, "user/*.cruds")
    assert api.get("AuditEvent").fhir["total"] == 0
    assert api.get("Appointment/of-bo").status_code == 404
    assert api.post("Organization", {"resourceType": "Organization", "name": "Mine"}).status_code == 403


def test_a_system_scope_in_a_persons_token_counts_for_nothing(visits, ada):
    api = api_with("system/*.cruds")
    AccessToken.objects.update(user=ada.user)
    assert api.get("Appointment").status_code == 403


def test_a_persons_scope_in_softwares_token_counts_for_nothing(visits):
    assert api_with("user/*.cruds patient/*.cruds").get("Appointment").status_code == 403


def test_a_carer_who_is_no_longer_one_shows_an_app_nothing(app, visits, ada, leo):
    api = app.api(ada.user, "patient/Appointment.rs", whose=leo.fhir_id)
    leo.related_persons.update(active=False)
    assert ids(api.get("Appointment")) == []


@pytest.mark.parametrize(
    ("constraint", "seen"),
    [
        ("status=booked", ["of-ada"]),
        ("status=cancelled", []),
        ("status=booked&date=lt2020-01-01", []),
        ("status:not=booked", []),
        ("no-such=parameter", []),
        ("status=booked&no-such=parameter", []),
        ("status:no-such=booked", []),
        ("patient.family=Quinn", []),
        ("_has:Slot:appointment:status=busy", []),
        ("_count=1", []),
        ("date=nonsense", []),
    ],
)
def test_a_scope_with_search_parameters_opens_what_they_find(app, visits, ada, constraint, seen):
    api = app.api(ada.user, f"patient/Appointment.rs?{constraint}", whose=ada.fhir_id)
    assert ids(api.get("Appointment")) == seen
    assert api.get("Appointment/of-ada").status_code == (200 if seen else 404)


def test_two_scopes_open_what_either_opens(visits):
    api = api_with("system/Appointment.rs?_id=of-ada system/Appointment.rs?_id=of-bo")
    assert set(ids(api.get("Appointment"))) == {"of-ada", "of-bo"}


@pytest.fixture
def visit_type(site, chen):
    service = ServiceFactory(duration=30)
    ScheduleFactory(actor=chen, site=site, services=[service])
    return service


def test_an_app_finds_and_books_for_the_patient_in_context(app, visit_type, ada):
    api = app.api(ada.user, "patient/Appointment.cruds")
    booked = api.post(BOOK, proposal(api, visit_type, patient=ada))
    assert booked.status_code == 201, booked.fhir
    assert visit(booked)["status"] == "booked"
    line = AuditEvent.objects.get(subtype="book")
    assert (line.user, line.client) == (ada.user, "app")


def test_an_app_books_for_nobody_else_its_person_cares_for(app, visit_type, ada, leo):
    api = app.api(ada.user, "patient/Appointment.cruds", whose=ada.fhir_id)
    refused = api.post(BOOK, proposal(api, visit_type, patient=leo))
    assert (refused.status_code, codes(refused)) == (404, ["not-found"])
    assert not Appointment.objects.exists()


def test_a_search_scope_allows_find_and_not_book(app, visit_type, ada):
    api = app.api(ada.user, "patient/Appointment.rs")
    assert found(api, visit_type)
    for operation in (HOLD, BOOK):
        assert api.post(operation, proposal(api, visit_type, patient=ada)).status_code == 403


def test_find_needs_a_search_scope(app, visit_type, ada):
    assert app.api(ada.user, "patient/Patient.rs").get(FIND, find_query(visit_type)).status_code == 403


def test_an_app_cancels_only_what_it_may_change(app, visits, ada, leo):
    api = app.api(ada.user, "patient/Appointment.u user/Appointment.rs", whose=ada.fhir_id)
    assert api.post("Appointment/of-leo/$cancel").status_code == 403
    assert api.post("Appointment/of-bo/$cancel").status_code == 404


def test_a_changed_resource_must_stay_within_the_scope(site, chen, ada):
    schedule = ScheduleFactory(actor=chen, site=site)
    AppointmentFactory(fhir_id="later", patient=ada, schedules=[schedule], site=site, start=monday(10))
    api = api_with("system/Appointment.rus?status=booked")
    refused = api.post("Appointment/later/$cancel")
    assert (refused.status_code, codes(refused)) == (403, ["forbidden"])
    assert Appointment.objects.get(fhir_id="later").status == "booked"


def test_keys_of_an_app_are_each_persons_own(app, visit_type, ada):
    api = app.api(ada.user, "patient/Appointment.cruds")
    api.post(BOOK, proposal(api, visit_type, patient=ada), idempotency_key="once")
    assert IdempotencyKey.objects.get().owner == f"app:app:{ada.user.pk}"


def test_software_writes_only_what_its_scope_finds(db):
    api = api_with("system/Patient.cruds?gender=female")
    made = api.post("Patient", {"resourceType": "Patient", "gender": "female", "name": [{"family": "Roe"}]})
    assert made.status_code == 201, made.fhir
    refused = api.post("Patient", {"resourceType": "Patient", "gender": "male", "name": [{"family": "Doe"}]})
    assert (refused.status_code, codes(refused)) == (403, ["forbidden"])
    changed = api.put(f"Patient/{made.fhir['id']}", {**made.fhir, "gender": "male"})
    assert (changed.status_code, codes(changed)) == (403, ["forbidden"])


def test_software_does_not_overwrite_what_its_scope_does_not_find(db):
    PatientFactory(fhir_id="hidden", gender="male")
    api = api_with("system/Patient.cruds?gender=female")
    refused = api.put("Patient/hidden", {"resourceType": "Patient", "id": "hidden", "gender": "female"})
    assert (refused.status_code, codes(refused)) == (404, ["not-found"])


def test_a_persons_token_costs_one_statement(app, ada, django_assert_num_queries):
    api = app.api(ada.user, "patient/Appointment.rs")
    with django_assert_num_queries(1):
        api.get("Nothing")


def test_an_administrators_app_is_bound_by_its_patient(app, visits, leo):
    administrator = UserFactory(is_superuser=True)
    leo.related_persons.create(user=administrator, last_updated=leo.last_updated)
    api = app.api(administrator, "patient/*.cruds", whose=leo.fhir_id)
    assert ids(api.get("Appointment")) == ["of-leo"]
    assert ids(api.get("Patient")) == [leo.fhir_id]
    assert ids(api.get("AuditEvent")) == []
