"""A small clinic, the callers of its API and their requests: the subject of the tables of docs/access.md."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken

from api.operations.ids import free_slot_id
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import Launch, Patient
from tests.api.conftest import Api, api_with, application
from tests.api.subscriptions import WANTED as SUBSCRIPTION
from tests.api.visits import BOOK, FIND, HOLD, find_query, proposal
from tests.factories import (
    AppointmentFactory,
    AppointmentResponseFactory,
    AuditEventFactory,
    CareTeamFactory,
    CommunicationFactory,
    CoverageFactory,
    DeviceFactory,
    EncounterFactory,
    InsurancePlanFactory,
    LocationFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RecallFactory,
    ReferralFactory,
    RelatedPersonFactory,
    RoleFactory,
    ScheduleFactory,
    ServiceFactory,
    SubscriptionFactory,
    UserFactory,
)
from tests.scheduling.situations import monday

NOWHERE = "nothing-has-this-id"
CREATED, IN_USE = 201, 409
PARAMETERS: Json = {"resourceType": "Parameters"}
OF_A_VISIT = ("QuestionnaireResponse", "Encounter")  # one for each visit, so a second one names none


class World:
    """Dr Chen and Dr Singh work at Main Street, Dr Okoye in another town.

    Ada sees Dr Chen, Leo, for whom Grace cares, Dr Singh, and Bo Dr Okoye. `rows` are theirs, by type and whose.
    """

    def __init__(self) -> None:
        self.main, self.other = LocationFactory(fhir_id="main"), LocationFactory(fhir_id="other")
        self.ada = PatientFactory(fhir_id="ada", family="Quinn", birth_date="1980-05-01", user=UserFactory())
        self.leo = PatientFactory(fhir_id="leo", family="Stone", birth_date="2015-05-01")
        self.bo = PatientFactory(fhir_id="bo", family="Lind", birth_date="1990-05-01", user=UserFactory())
        self.grace = UserFactory()
        self.root = UserFactory(is_staff=True, is_superuser=True)
        self.service = ServiceFactory(fhir_id="service")
        self.chen, self.singh, self.okoye = (PractitionerFactory(user=UserFactory()) for _ in range(3))
        self.calendars = {
            whose: ScheduleFactory(actor=who, site=site, services=[self.service])
            for whose, who, site in (
                ("Ada's", self.chen, self.main),
                ("Leo's", self.singh, self.main),
                ("Bo's", self.okoye, self.other),
            )
        }
        self.patients: dict[str, Patient] = {"Ada's": self.ada, "Leo's": self.leo, "Bo's": self.bo}
        self.rows: dict[tuple[str, str], Any] = dict(self._public())
        for whose, patient in self.patients.items():
            self.rows |= {(kind, whose): row for kind, row in self._of(whose, patient)}
        done = AppointmentFactory(
            patient=self.ada,
            service=self.service,
            site=self.main,
            schedules=[self.calendars["Ada's"]],
            status="fulfilled",
            start=monday(9) - timedelta(weeks=8),
        )
        self.rows["Appointment", "Ada's, over"] = done

    def _public(self) -> Iterator[tuple[tuple[str, str], Any]]:
        organization = OrganizationFactory()
        yield ("Organization", ""), organization
        yield ("Location", ""), LocationFactory()
        yield ("Practitioner", ""), PractitionerFactory()
        yield ("Questionnaire", ""), QuestionnaireFactory()
        yield ("HealthcareService", ""), ServiceFactory()
        yield ("PractitionerRole", ""), RoleFactory(practitioner=self.chen, organization=organization)
        yield ("Device", ""), DeviceFactory()
        yield ("InsurancePlan", ""), InsurancePlanFactory()
        yield ("Schedule", ""), ScheduleFactory(actor=PractitionerFactory(), services=[self.service])
        yield ("Subscription", "the software's"), SubscriptionFactory(client="system")
        yield ("Subscription", "another's"), SubscriptionFactory(client="other")

    def _of(self, whose: str, patient: Patient) -> Iterator[tuple[str, Any]]:
        yield "Patient", patient
        carer = RelatedPersonFactory(patient=patient, user=self.grace if patient is self.leo else None)
        yield "RelatedPerson", carer
        calendar = self.calendars[whose]
        visit = AppointmentFactory(
            patient=patient, service=self.service, site=calendar.site, schedules=[calendar], start=monday(9)
        )
        yield "Appointment", visit
        yield "Slot", visit.slots.get()
        yield "AppointmentResponse", AppointmentResponseFactory(appointment=visit)
        yield "Coverage", CoverageFactory(beneficiary=patient)
        yield "CareTeam", CareTeamFactory(patient=patient)
        yield "ServiceRequest", ReferralFactory(patient=patient, service=self.service)
        yield "Schedule", ScheduleFactory(actor=patient, services=[self.service])
        yield "QuestionnaireResponse", QuestionnaireResponseFactory(appointment=visit, patient=patient)
        yield "Encounter", EncounterFactory(appointment=visit, patient=patient)
        yield "Task", RecallFactory(appointment=visit, patient=patient)
        yield "Communication", CommunicationFactory(appointment=visit, patient=patient)
        yield "AuditEvent", AuditEventFactory(patient=patient)

    def comes(self, role: str) -> Api:
        return ROLES[role](self)


def _app(scopes: str) -> Callable[[World], Api]:
    """An app to which Ada has given access to her own data."""

    return lambda world: app_of(world.ada, scopes)


def app_of(patient: Patient, scopes: str) -> Api:
    """An app to which the patient has given access to their own data."""
    now = timezone.now()
    software = application(scopes, client_id="app")
    token = AccessToken.objects.create(
        token="of-the-app",
        application=software,
        user=patient.user,
        expires=now + timedelta(hours=1),
        scope=scopes,
    )
    Launch.objects.create(
        application=software,
        user=patient.user,
        patient=patient,
        access_token=token,
        scope=scopes,
        code_digest="",
        created=now,
        last_used=now,
    )
    return Api("of-the-app")


def _software(scopes: str) -> Callable[[World], Api]:
    return lambda world: api_with(scopes)


ROLES: dict[str, Callable[[World], Api]] = {
    "nobody": lambda world: Api(),
    "Ada": lambda world: Api(user=world.ada.user),
    "Ada's app": _app("patient/*.cruds"),
    "app, reads visits": _app("patient/Appointment.rs"),
    "Grace": lambda world: Api(user=world.grace),
    "Dr Chen": lambda world: Api(user=world.chen.user),
    "front desk": lambda world: Api(user=UserFactory(desk_locations=[world.main])),
    "other front desk": lambda world: Api(user=UserFactory(desk_locations=[world.other])),
    "administrator": lambda world: Api(user=world.root),
    "software": _software("system/*.cruds"),
    "reads Slots": _software("system/Slot.rs"),
    "reads booked": _software("system/Appointment.rs?status=booked"),
}


@contextmanager
def undone() -> Iterator[None]:
    """Roll back whatever the block has written."""
    before = transaction.savepoint()
    yield
    transaction.savepoint_rollback(before)


# What can be done with rows


class Rights:
    """The rights of a caller to each of some rows, in letters. All reads are sent at once, in a Bundle.

    In angle brackets, how what is hidden differs from what is not there.
    """

    def __init__(self, api: Api, rows: Collection[Any]) -> None:
        self.api = api
        nobodys = {(row.RESOURCE_TYPE, NOWHERE, row.version) for row in rows}
        self._reads = _reads(api, nobodys | {(row.RESOURCE_TYPE, row.fhir_id, row.version) for row in rows})
        self._nowhere: dict[tuple[str, str], int] = {}

    def of(self, row: Any) -> str:
        kind = row.RESOURCE_TYPE
        *statuses, is_found = self._reads[kind, row.fhir_id]
        found = "r" if set(statuses) == {200} else ""
        if not found and statuses != (nowhere := self._reads[kind, NOWHERE][:-1]):
            found = f"<r {statuses}, not {nowhere}>"
        found += "s" if is_found else ""
        body = to_fhir(rows_of(RESOURCES[kind]).get(pk=row.pk))
        for letter in ACTS:
            found += self._writes(letter, row, body, is_seen="r" in found)
        return found

    def _writes(self, letter: str, row: Any, body: Json, *, is_seen: bool) -> str:
        with undone():
            status = ACTS[letter](self.api, row.RESOURCE_TYPE, row.fhir_id, deepcopy(body)).status_code
            row.refresh_from_db()
            is_done = status < 300 and (letter != "d" or row.deleted_at is not None)
        row.refresh_from_db()
        if is_done or (letter == "d" and status == IN_USE):
            return letter
        if letter == "c" or is_seen or status in (401, 405):
            return ""
        nowhere = self._done_nowhere(letter, row.RESOURCE_TYPE, body)
        return "" if nowhere in (status, CREATED) else f"<{letter} {status}, not {nowhere}>"

    def _done_nowhere(self, letter: str, kind: str, body: Json) -> int:
        if (letter, kind) not in self._nowhere:
            with undone():
                self._nowhere[letter, kind] = ACTS[letter](self.api, kind, NOWHERE, deepcopy(body)).status_code
        return self._nowhere[letter, kind]


def _reads(api: Api, named: Collection[tuple[str, str, int]]) -> dict[tuple[str, str], list[Any]]:
    """Return by type and id the statuses of a read, a vread and a history, and whether a search finds it."""
    urls = {
        (kind, name, n): url
        for kind, name, version in named
        for n, url in enumerate(
            (f"{kind}/{name}", f"{kind}/{name}/_history/{version}", f"{kind}/{name}/_history", f"{kind}?_id={name}")
        )
    }
    entries = [{"request": {"method": "GET", "url": url}} for url in urls.values()]
    answer = api.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})
    refused = [{"response": {"status": str(answer.status_code)}}] * len(entries)
    answers = answer.fhir["entry"] if answer.status_code == 200 else refused
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for (kind, name, n), each in zip(urls, answers, strict=True):
        is_search = n == 3
        found[kind, name].append(
            bool(each.get("resource", {}).get("total")) if is_search else int(each["response"]["status"][:3])
        )
    return found


def _create(api: Api, kind: str, fhir_id: str, body: Json) -> Any:
    return api.post(kind, _another(kind, body))


def _another(kind: str, body: Json) -> Json:
    """Return the body of a new resource like this one, at another time."""
    given = ("id", "meta", "slot", "telecom", *(("appointment", "extension") if kind in OF_A_VISIT else ()))
    body = {name: value for name, value in body.items() if name not in given}
    if kind == "Patient":
        return {**body, "name": [{"family": "New"}], "birthDate": "1999-09-09"}
    if kind in ("Appointment", "Slot"):
        later = {"start": instant(monday(15)), "end": instant(monday(15, 30))}
        return {**body, **later, "status": {"Appointment": "proposed", "Slot": "busy"}[kind]}
    return SUBSCRIPTION if kind == "Subscription" else body


def _update(api: Api, kind: str, fhir_id: str, body: Json) -> Any:
    return api.put(f"{kind}/{fhir_id}", _changed(kind, {**body, "id": fhir_id}))


def _changed(kind: str, body: Json) -> Json:
    if kind == "Patient":
        return {**body, "telecom": [{"system": "phone", "value": "+1 212 555 0199"}]}
    return {**body, "language": "en-US"}


def _patch(api: Api, kind: str, fhir_id: str, body: Json) -> Any:
    change = {"op": "add", "path": "/language", "value": "en-US"}
    if kind == "Patient":
        change = {"op": "add", "path": "/telecom", "value": [{"system": "phone", "value": "+1 212 555 0199"}]}
    if kind == "Appointment":
        change = {"op": "replace", "path": "/status", "value": "cancelled"}
    return api.patch(f"{kind}/{fhir_id}", [change])


def _delete(api: Api, kind: str, fhir_id: str, body: Json) -> Any:
    return api.delete(f"{kind}/{fhir_id}")


ACTS = {"c": _create, "u": _update, "p": _patch, "d": _delete}


# The operations


def possible(world: World, api: Api, operation: str, whose: str) -> bool:
    """True if the operation answers what was asked, about the calendar, the visit or the person of `whose`."""
    with undone():
        answer = OPERATIONS[operation](world, api, whose)
    return answer.status_code < 300 and (operation != "$match" or world.patients[whose].fhir_id in str(answer.fhir))


def _find(world: World, api: Api, whose: str) -> Any:
    return api.get(FIND, find_query(world.service, world.calendars["Ada's"]))


def _prefetch(world: World, api: Api, whose: str) -> Any:
    return api.get("Slot/$prefetch", {"start": instant(monday(0)), "end": instant(monday(0, days=1))})


def _free_slots(world: World, api: Api, whose: str) -> Any:
    return api.get("Slot", {"status": "free", "start": [f"ge{instant(monday(0))}", f"lt{instant(monday(0, days=1))}"]})


def _explain(world: World, api: Api, whose: str) -> Any:
    asked = {"start": instant(monday(10)), "schedule": world.calendars["Ada's"].reference}
    return api.get(f"{world.service.reference}/$explain", asked)


def _match(world: World, api: Api, whose: str) -> Any:
    patient = to_fhir(world.patients[whose])
    sought = {name: patient[name] for name in ("resourceType", "name", "birthDate")}
    return api.post("Patient/$match", {**PARAMETERS, "parameter": [{"name": "resource", "resource": sought}]})


def _everything(world: World, api: Api, whose: str) -> Any:
    return api.get(f"{world.patients[whose].reference}/$everything")


def _merge(world: World, api: Api, whose: str) -> Any:
    source, target = world.patients[whose], PatientFactory()
    records = [("source-patient", source), ("target-patient", target)]
    named = [{"name": name, "valueReference": {"reference": row.reference}} for name, row in records]
    return api.post("Patient/$merge", {**PARAMETERS, "parameter": named})


def _unmerge(world: World, api: Api, whose: str) -> Any:
    _merge(world, Api(user=world.root), whose)
    source = {"name": "source-patient", "valueReference": {"reference": world.patients[whose].reference}}
    return api.post("Patient/$unmerge", {**PARAMETERS, "parameter": [source]})


def _take(operation: str) -> Callable[[World, Api, str], Any]:
    def take(world: World, api: Api, whose: str) -> Any:
        proposed_visit = proposal(
            Api(user=world.root), world.service, world.calendars[whose], patient=world.patients[whose]
        )
        return api.post(operation, proposed_visit)

    return take


def _post(world: World, api: Api, whose: str) -> Any:
    slot = free_slot_id(world.calendars[whose].pk, world.service.pk, int(monday(10).timestamp()))
    patient = {"actor": {"reference": world.patients[whose].reference}, "status": "accepted"}
    body = {"resourceType": "Appointment", "status": "booked", "slot": [{"reference": f"Slot/{slot}"}]}
    return api.post("Appointment", {**body, "participant": [patient]})


def _confirm(world: World, api: Api, whose: str) -> Any:
    calendar = world.calendars[whose]
    held = AppointmentFactory(
        patient=world.patients[whose],
        service=world.service,
        site=calendar.site,
        schedules=[calendar],
        status="pending",
        start=monday(13),
        hold_expires_at=timezone.now() + timedelta(minutes=5),
    )
    return api.post(f"{held.reference}/$confirm")


def _cancel(world: World, api: Api, whose: str) -> Any:
    return api.post(f"{world.rows['Appointment', whose].reference}/$cancel")


def _reschedule(world: World, api: Api, whose: str) -> Any:
    to = [
        {"name": "start", "valueDateTime": instant(monday(14))},
        {"name": "schedule", "valueReference": {"reference": world.calendars[whose].reference}},
    ]
    return api.post(f"{world.rows['Appointment', whose].reference}/$reschedule", {**PARAMETERS, "parameter": to})


def _ask_of(operation: str) -> Callable[[World, Api, str], Any]:
    return lambda world, api, whose: api.get(f"{world.rows['Subscription', whose].reference}/{operation}")


OPERATIONS = {
    "$find": _find,
    "$prefetch": _prefetch,
    "free Slots": _free_slots,
    "$explain": _explain,
    "$match": _match,
    "$everything": _everything,
    "$merge": _merge,
    "$unmerge": _unmerge,
    "$hold": _take(HOLD),
    "$book": _take(BOOK),
    "POST Appointment": _post,
    "$confirm": _confirm,
    "$cancel": _cancel,
    "$reschedule": _reschedule,
    "$status": _ask_of("$status"),
    "$events": _ask_of("$events"),
}
