"""A resource that the caller may not read is answered, word for word, like one that does not exist."""

import re
from json import dumps, loads
from typing import Any

import pytest

from clinic.fhir.codes import APPOINTMENT
from clinic.fhir.datatypes import instant
from tests.api.access.world import NOWHERE, PARAMETERS
from tests.api.conftest import Api, api_with
from tests.api.dialects import matches, parameters, window
from tests.api.visits import BOOK, FIND, HOLD, find_query, proposal
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db

KINDS = (
    "Patient",
    "RelatedPerson",
    "Coverage",
    "CareTeam",
    "ServiceRequest",
    "Schedule",
    "Slot",
    "Appointment",
    "AppointmentResponse",
    "QuestionnaireResponse",
    "Encounter",
    "Task",
    "Communication",
    "AuditEvent",
)
CANCEL = [{"op": "replace", "path": "/status", "value": "cancelled"}]
LANGUAGE = [{"op": "add", "path": "/language", "value": "en"}]


NEW = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9T:.-]{20,}Z")  # an id or a moment of today


def status_and_body(answer: Any, named: str) -> tuple[int, str]:
    """The status and the body of a response, without the id that was named, new ids and moments of today."""
    return answer.status_code, NEW.sub("[new]", answer.content.decode().replace(named, "[id]"))


def assert_as_if_not_there(api: Api, hidden: Any, ask: Any) -> int:
    """Send a request about a hidden id and about one that does not exist by `ask`, and return their common status."""
    status, words = status_and_body(ask(api, hidden.fhir_id), hidden.fhir_id)
    assert (status, words) == status_and_body(ask(api, NOWHERE), NOWHERE)
    return status


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["{0}/{1}", "{0}/{1}/_history/1", "{0}/{1}/_history", "{0}?_id={1}"])
def test_reads_and_searches(world, kind, path):
    for role in ("Ada", "app, reads visits"):
        status = assert_as_if_not_there(
            world.comes(role), world.rows[kind, "Bo's"], lambda api, name: api.get(path.format(kind, name))
        )
        assert status in ((200, 403) if "?" in path else (404, 403))


SOUGHT = (
    "{0}?_filter=_id eq {1}",
    "{0}?_filter=not (_id ne {1})",
    "{0}?_content={1}",
    "?_type={0}&_id={1}",
    "?_id={1}&_sort=-_lastUpdated",
    "?_content={1}",
    "Coverage?_filter=beneficiary eq {0}/{1}",
    "Appointment?_filter=actor eq {0}/{1} or supporting-info eq {0}/{1}",
    "Appointment?actor={0}/{1}&_total=accurate",
    "AppointmentResponse?_filter=appointment._id eq {1}",
    "Slot?_has:Appointment:slot:_filter=_id eq {1}",
)


@pytest.mark.parametrize("query", SOUGHT)
def test_sought(world, query):
    for role in ("Ada", "Grace", "Dr Chen"):
        api = world.comes(role)
        for kind in ("Patient", "Appointment"):
            hidden, asked_for = world.rows[kind, "Bo's"], query.replace("{0}", kind)
            assert_as_if_not_there(api, hidden, lambda api, name, path=asked_for: api.get(path.replace("{1}", name)))


@pytest.mark.parametrize(
    "headers", [{"if_none_match": 'W/"1"'}, {"if_modified_since": "Fri, 01 Jan 2100 00:00:00 GMT"}], ids=["tag", "time"]
)
def test_a_conditional_read_reveals_nothing(world, headers):
    row = world.rows["Appointment", "Bo's"]
    assert_as_if_not_there(world.comes("Ada"), row, lambda api, name: api.get(f"Appointment/{name}", **headers))


WRITES = {
    "update": lambda api, kind, name, **said: api.put(f"{kind}/{name}", _body(kind, name), **said),
    "patch": lambda api, kind, name, **said: api.patch(f"{kind}/{name}", _patch(kind), **said),
    "delete": lambda api, kind, name, **said: api.delete(f"{kind}/{name}", **said),
    "conditional update": lambda api, kind, name, **said: api.put(f"{kind}?_id={name}", _body(kind, name), **said),
    "conditional patch": lambda api, kind, name, **said: api.patch(f"{kind}?_id={name}", _patch(kind), **said),
    "conditional delete": lambda api, kind, name, **said: api.delete(f"{kind}?_id={name}", **said),
}


def _patch(kind: str) -> Any:
    return CANCEL if kind == "Appointment" else LANGUAGE


def _body(kind: str, name: str) -> Any:
    """Types of resources that Ada may create."""
    body = {"resourceType": kind, "id": name}
    if kind == "Coverage":
        body |= {"status": "active", "beneficiary": {"reference": "Patient/ada"}, "payor": [{"display": "Acme"}]}
    if kind == "QuestionnaireResponse":
        body |= {"status": "in-progress", "subject": {"reference": "Patient/ada"}}
    return body


@pytest.mark.parametrize("headers", [{}, {"if_match": 'W/"1"'}, {"if_match": 'W/"7"'}], ids=["", "this", "another"])
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("kind", ["Patient", "Coverage", "Appointment", "QuestionnaireResponse", "AppointmentResponse"])
def test_written_by_a_patient(world, kind, write, headers):
    hidden = world.rows[kind, "Bo's"]
    assert_as_if_not_there(world.comes("Ada"), hidden, lambda api, name: WRITES[write](api, kind, name, **headers))
    before = (hidden.version, hidden.deleted_at)
    hidden.refresh_from_db()
    assert (hidden.version, hidden.deleted_at) == before


@pytest.mark.parametrize("write", ["update", "patch", "delete", "conditional patch", "conditional delete"])
def test_written_by_software_with_narrow_scopes(world, write):
    api = api_with("system/Appointment.cruds?status=fulfilled system/Patient.cruds")
    hidden = world.rows["Appointment", "Bo's"]
    assert_as_if_not_there(api, hidden, lambda api, name: WRITES[write](api, "Appointment", name))
    hidden.refresh_from_db()
    assert (hidden.status, hidden.version) == ("booked", 1)


@pytest.mark.parametrize("operation", ["$confirm", "$cancel", "$hold", "$book", "$reschedule"])
@pytest.mark.parametrize("role", ["Ada", "Dr Chen", "front desk"])
def test_operated_on(world, role, operation):
    to = [
        {"name": "start", "valueDateTime": instant(monday(14))},
        {"name": "schedule", "valueReference": {"reference": world.calendars["Ada's"].reference}},
    ]
    body = {**PARAMETERS, "parameter": to} if operation == "$reschedule" else None
    status = assert_as_if_not_there(
        world.comes(role),
        world.rows["Appointment", "Bo's"],
        lambda api, name: api.post(f"Appointment/{name}/{operation}", body),
    )
    assert status == 404


@pytest.mark.parametrize(
    ("kind", "name"), [("Appointment", "appt_id"), ("Appointment", "cancelled_appt_id"), ("Patient", "patient_id")]
)
def test_named_when_a_time_is_booked(world, kind, name):
    api = world.comes("Ada")
    slot_id = matches(api.get(FIND, window(practitioner=world.chen.reference)))[0]["id"]

    def ask(api, fhir_id):
        return api.post(
            BOOK, parameters(**{"appt_id": slot_id, "patient_id": "Patient/ada", name: f"{kind}/{fhir_id}"})
        )

    assert assert_as_if_not_there(api, world.rows[kind, "Bo's"], ask) == 404


@pytest.mark.parametrize("operation", [HOLD, BOOK])
def test_a_visit_for_a_patient_who_is_not_seen(world, operation):
    api = world.comes("Ada")
    proposed_visit = proposal(api, world.service, world.calendars["Ada's"])

    def ask(api, fhir_id):
        actor = {"actor": {"reference": f"Patient/{fhir_id}"}, "status": "accepted"}
        return api.post(operation, {**proposed_visit, "participant": [*proposed_visit["participant"], actor]})

    assert assert_as_if_not_there(api, world.bo, ask) == 404


@pytest.mark.parametrize(("kind", "name"), [("Appointment", "ignore-appointment"), ("Patient", "patient-reference")])
def test_named_when_times_are_sought(world, kind, name):
    def ask(api, fhir_id):
        query = window(**{name: f"{kind}/{fhir_id}"})
        if name == "ignore-appointment":
            query = find_query(world.service, world.calendars["Bo's"], **{name: f"{kind}/{fhir_id}"})
        return api.get(FIND, query)

    assert assert_as_if_not_there(world.comes("Ada"), world.rows[kind, "Bo's"], ask) == 404


COVERAGE = {"resourceType": "Coverage", "status": "active", "payor": [{"display": "Acme"}]}
ADA = {"reference": "Patient/ada"}
REFERENCES = {
    "whose": ("Patient", lambda name: {**COVERAGE, "beneficiary": {"reference": f"Patient/{name}"}}),
    "besides": (
        "Patient",
        lambda name: {**COVERAGE, "beneficiary": ADA, "subscriber": {"reference": f"Patient/{name}"}},
    ),
    "by a search": ("Patient", lambda name: {**COVERAGE, "beneficiary": {"reference": f"Patient?_id={name}"}}),
    "answers": (
        "Patient",
        lambda name: {
            "resourceType": "QuestionnaireResponse",
            "status": "in-progress",
            "subject": {"reference": f"Patient/{name}"},
        },
    ),
    "answers for a visit": (
        "Appointment",
        lambda name: {
            "resourceType": "QuestionnaireResponse",
            "extension": [{"url": APPOINTMENT, "valueReference": {"reference": f"Appointment/{name}"}}],
            "status": "in-progress",
            "subject": ADA,
        },
    ),
    "an answer": (
        "Appointment",
        lambda name: {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": f"Appointment/{name}"},
            "actor": ADA,
            "participantStatus": "declined",
        },
    ),
}


@pytest.mark.parametrize("how", ["alone", "batch", "transaction"])
@pytest.mark.parametrize("what", REFERENCES)
def test_referred_to(world, what, how):
    kind, body = REFERENCES[what]

    def ask(api, name):
        resource = body(name)
        if how == "alone":
            return api.post(resource["resourceType"], resource)
        return api.post("", _bundle(how, "POST", resource["resourceType"], resource))

    status = assert_as_if_not_there(world.comes("Ada"), world.rows[kind, "Bo's"], ask)
    assert status == 200 if how == "batch" else status in (404, 422)


LATER = {"start": instant(monday(15)), "end": instant(monday(15, 30))}
AT_MAIN = {"actor": {"reference": "Location/main"}, "status": "accepted"}
# What software writes without a scope on Patients. Nothing of the clinic's is hidden from it.
BLINDLY = {
    "Appointment": lambda patient: {"status": "proposed", **LATER, "participant": [AT_MAIN, _coming(patient)]},
    "Coverage": lambda patient: {"status": "active", "payor": [{"display": "Acme"}], "beneficiary": patient},
    "QuestionnaireResponse": lambda patient: {"status": "in-progress", "subject": patient},
    "Encounter": lambda patient: {"status": "finished", "class": {"code": "AMB"}, "subject": patient},
    "RelatedPerson": lambda patient: {"patient": patient},
    "CareTeam": lambda patient: {"status": "active", "subject": patient},
    "ServiceRequest": lambda patient: {"status": "active", "intent": "order", "subject": patient},
    "Schedule": lambda patient: {"actor": [patient]},
}


def _coming(patient: Any) -> Any:
    return {"actor": patient, "status": "accepted"}


@pytest.mark.parametrize("how", ["POST", "transaction", "PUT"])
@pytest.mark.parametrize("kind", BLINDLY)
def test_referred_to_by_software_that_sees_no_patients(world, kind, how):
    api = api_with(f"system/{kind}.cu")

    def ask(api, name):
        body = {"resourceType": kind, **BLINDLY[kind]({"reference": f"Patient/{name}"})}
        if how == "PUT":
            return api.put(f"{kind}/new", {**body, "id": "new"})
        return api.post(kind, body) if how == "POST" else api.post("", _bundle(how, "POST", kind, body))

    assert assert_as_if_not_there(api, world.bo, ask) in (400, 422)


def test_existing_references_can_be_written_again(world):
    """Software that may not see patients sends a visit back as it has read it."""
    api, visit = api_with("system/Appointment.cruds"), world.rows["Appointment", "Bo's"]
    body = api.get(visit.reference).fhir
    assert api.put(visit.reference, {**body, "comment": "Ground floor"}).fhir["comment"] == "Ground floor"


def test_a_patient_writes_what_names_somebody_they_may_not_see(world):
    api, coverage = world.comes("Ada"), world.rows["Coverage", "Ada's"]
    coverage.extra["subscriber"] = {"reference": "Patient/bo"}
    coverage.save()
    body = api.get(coverage.reference).fhir
    assert api.put(coverage.reference, {**body, "language": "en"}).status_code == 200
    assert api.put(coverage.reference, {**body, "subscriber": {"reference": "Patient/leo"}}).status_code == 422


def test_software_whose_scopes_hide_rows_chooses_no_ids(world):
    api, body = api_with("system/Coverage.cruds?status=cancelled system/Patient.rs"), dict(COVERAGE, beneficiary=ADA)

    def ask(api, name):
        return api.put("Coverage?identifier=none", {**body, "status": "cancelled", "id": name})

    assert assert_as_if_not_there(api, world.rows["Coverage", "Bo's"], ask) == 201


@pytest.mark.parametrize("role", ["Ada", "Dr Chen", "reads Slots"])
def test_the_calendar_of_another_patient(world, role):
    def ask(api, name):
        return api.get(FIND, find_query(world.service, f"Schedule/{name}"))

    assert assert_as_if_not_there(world.comes(role), world.rows["Schedule", "Bo's"], ask) == 404


@pytest.mark.parametrize("operation", [HOLD, BOOK, "$reschedule"])
def test_the_calendar_of_another_patient_when_a_time_is_taken(world, operation):
    calendar, visit = world.calendars["Ada's"], world.rows["Appointment", "Ada's"]
    proposed_visit = dumps(proposal(world.comes("Ada"), world.service, calendar))

    def ask(api, name):
        if operation != "$reschedule":
            return api.post(operation, loads(proposed_visit.replace(calendar.fhir_id, name)))
        to = [
            {"name": "start", "valueDateTime": instant(monday(14))},
            {"name": "schedule", "valueReference": {"reference": f"Schedule/{name}"}},
        ]
        return api.post(f"{visit.reference}/{operation}", {**PARAMETERS, "parameter": to})

    assert assert_as_if_not_there(world.comes("Ada"), world.rows["Schedule", "Bo's"], ask) in (400, 404)


def _bundle(how: str, method: str, url: str, resource: Any = None) -> Any:
    entry = {"request": {"method": method, "url": url}, **({"resource": resource} if resource else {})}
    return {"resourceType": "Bundle", "type": how, "entry": [entry]}


@pytest.mark.parametrize("how", ["batch", "transaction"])
@pytest.mark.parametrize(
    ("method", "url"),
    [("GET", "{}/{}"), ("GET", "{}/{}/_history"), ("GET", "{}?_id={}"), ("PUT", "{}/{}"), ("DELETE", "{}/{}")],
)
def test_in_a_bundle(world, how, method, url):
    def ask(api, name):
        body = _body("Coverage", name) if method == "PUT" else None
        return api.post("", _bundle(how, method, url.format("Coverage", name), body))

    assert_as_if_not_there(world.comes("Ada"), world.rows["Coverage", "Bo's"], ask)


def test_a_condition_of_a_creation_finds_nothing_hidden(world):
    body = {**COVERAGE, "beneficiary": ADA}
    hidden = world.rows["Coverage", "Bo's"]
    assert world.comes("Ada").post("Coverage", body, if_none_exist=f"_id={hidden.fhir_id}").status_code == 201


@pytest.mark.parametrize("query", ["_sort=-date", "_summary=count", "_total=accurate", "_count=1"])
def test_not_counted(world, query):
    assert world.comes("Ada").get(f"Appointment?{query}").fhir["total"] == 2


def test_times_are_free_or_not_whoever_asks(world):
    hidden = world.rows["Appointment", "Bo's"]
    for role in ("Ada", "Dr Chen", "front desk", "reads Slots"):
        answer = world.comes(role).get(FIND, find_query(world.service, world.calendars["Bo's"], _count="100"))
        starts = [entry["resource"].get("start") for entry in answer.fhir["entry"]]
        assert instant(monday(9)) not in starts
        assert instant(monday(9, 30)) in starts
        assert hidden.fhir_id not in answer.content.decode()


def test_a_row_of_a_new_patient_is_hidden_from_the_former_one(world):
    software, row = world.comes("software"), world.rows["Coverage", "Ada's"]
    body = software.get(row.reference).fhir
    assert software.put(row.reference, {**body, "beneficiary": {"reference": "Patient/bo"}}).status_code == 200
    for path in ("", "/_history", "/_history/1", "/_history/2"):
        assert world.comes("Ada").get(f"{row.reference}{path}").status_code == 404
    bo = Api(user=world.bo.user)
    assert [bo.get(f"{row.reference}/_history/{version}").status_code for version in (1, 2)] == [404, 200]
    history = bo.get(f"{row.reference}/_history").fhir
    assert (history["total"], "Patient/ada" in str(history["entry"])) == (1, False)


def test_an_idempotency_key_belongs_to_its_caller(world):
    visit = world.rows["Appointment", "Ada's"]
    path = f"{visit.reference}/$cancel"
    assert world.comes("Ada").post(path, idempotency_key="one").status_code == 200
    for api in (Api(user=world.bo.user), world.comes("front desk"), world.comes("software")):
        assert "Idempotency-Replayed" not in api.post(path, idempotency_key="one")
    assert Api(user=world.bo.user).post(path, idempotency_key="one").status_code == 404


def test_another_practitioners_calendar_cannot_be_subscribed_to(world):
    """People may create no Subscription at all; software subscribes to changes of free time only."""
    calendar = world.rows["Schedule", "Bo's"]
    for role in ("Ada", "Dr Chen", "front desk"):
        criteria = f"Slot?schedule={calendar.reference}"
        body = {"resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": criteria}
        channel = {"type": "rest-hook", "endpoint": "https://subscriber.example.org/hook"}
        assert world.comes(role).post("Subscription", {**body, "channel": channel}).status_code == 403
