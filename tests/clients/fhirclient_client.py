"""Drives IHE's scheduling (ITI-115 to ITI-118) with SMART's fhirclient, whose models refuse what is not FHIR.

    BASE_URL=http://127.0.0.1:8000/ CLIENT_ID=... CLIENT_SECRET=... python tests/clients/fhirclient_client.py

It ends with an error at the first answer that is not as it should be. It leaves a cancelled appointment behind.
"""

import sys

from fhirclient.client import FHIRClient
from fhirclient.models.appointment import Appointment
from fhirclient.models.bundle import Bundle
from fhirclient.models.operationoutcome import OperationOutcome
from fhirclient.models.parameters import Parameters, ParametersParameter
from fhirclient.models.patient import Patient
from fhirclient.models.practitioner import Practitioner
from fhirclient.models.resource import Resource
from fhirclient.server import FHIRServer, FHIRUnauthorizedException
from requests import HTTPError
from software import CLIENT_ID, CLIENT_SECRET, END, FHIR, START, VISIT_TYPE, somebody, step


def main() -> None:
    server = signed_in()
    practitioners = every_practitioner(server)
    patient = Patient({"resourceType": "Patient", **somebody()})

    proposals = find(server, practitioners)
    step(f"found {len(proposals)} times")

    held = operate(server, "$hold", reference_to(proposals[0]))
    assert held.status == "pending", held.as_json()
    assert essence(proposals[0]) not in map(essence, find(server, practitioners)), "what is held is not offered"
    step(f"held {held.start.isostring}")

    booked = operate(server, "$book", reference_to(held), resource("patient-resource", patient))
    assert booked.status == "booked", booked.as_json()
    assert Appointment.read(booked.id, server).status == "booked"
    step("booked, and registered the patient")

    registered = next(each.actor for each in booked.participant if each.actor.reference.startswith("Patient/"))
    visits = Appointment.where({"patient": registered.reference}).perform_resources_iter(server)
    assert [each.id for each in visits if isinstance(each, Appointment)] == [booked.id]
    step("read it back")

    booked.status = "cancelled"
    cancelled = operate(server, "$book", resource("appointment-resource", booked))
    assert cancelled.status == Appointment.read(booked.id, server).status == "cancelled", cancelled.as_json()
    step("cancelled")

    (refusal,) = (entry.resource for entry in post(server, "$book", reference_to(cancelled)).entry)
    assert isinstance(refusal, OperationOutcome), refusal.as_json()
    assert (refusal.issue[0].severity, refusal.issue[0].code) == ("fatal", "not-found"), refusal.as_json()
    assert essence(proposals[0]) in map(essence, find(server, practitioners))
    step("the time is offered again")


def signed_in() -> FHIRServer:
    """Read the CapabilityStatement, which names the token endpoint."""
    settings = {"app_id": CLIENT_ID, "app_secret": CLIENT_SECRET, "api_base": FHIR, "scope": "system/*.cruds"}
    smart = FHIRClient(settings)
    smart.wants_patient = False
    smart.prepare()
    assert smart.server.capabilityStatement.fhirVersion == "4.0.1"
    try:
        next(Patient.where({}).perform_resources_iter(smart.server))
    except FHIRUnauthorizedException:
        step("discovered where tokens come from, and that one is needed")
    else:
        raise AssertionError("Patients were shown to a stranger.")
    smart.authorize()
    assert smart.ready
    step("has a token")
    return smart.server


def every_practitioner(server: FHIRServer) -> list[Practitioner]:
    pages = list(Practitioner.where({"_count": "2"}).perform_iter(server))
    found = [entry.resource for page in pages for entry in page.entry]
    assert len({each.id for each in found}) == len(found) == pages[0].total > 2, "all pages, nobody twice"
    step(f"read {len(found)} practitioners, two to a page")
    return found


def find(server: FHIRServer, practitioners: list[Practitioner]) -> list[Appointment]:
    """The first proposals for any of the practitioners."""
    bundle = post(
        server,
        "$find?_count=10",
        parameter("start", valueDateTime=START),
        parameter("end", valueDateTime=END),
        parameter("visit-type", valueString=VISIT_TYPE),
        *(parameter("practitioner", valueReference={"reference": each.relativePath()}) for each in practitioners),
    )
    proposals = [entry.resource for entry in bundle.entry if entry.search.mode == "match"]
    assert 0 < len(proposals) <= min(10, bundle.total), bundle.as_json()
    assert all(isinstance(each, Appointment) and each.status == "proposed" for each in proposals)
    return proposals


def essence(appointment: Appointment) -> tuple[str, list[str]]:
    """The start and the practitioner; ids are valid for one search only."""
    return appointment.start.isostring, [each.actor.reference for each in appointment.participant]


def operate(server: FHIRServer, name: str, *parameters: ParametersParameter) -> Appointment:
    """The only Appointment in an operation's response."""
    bundle = post(server, name, *parameters)
    found = [entry.resource for entry in bundle.entry if isinstance(entry.resource, Appointment)]
    assert len(found) == bundle.total == 1, bundle.as_json()
    return found[0]


def post(server: FHIRServer, operation: str, *parameters: ParametersParameter) -> Bundle:
    """The response of an operation, read strictly."""
    sent = Parameters()
    sent.parameter = list(parameters)
    return Bundle(server.post_json(f"Appointment/{operation}", sent.as_json()).json())


def parameter(name: str, **value: str | dict[str, str]) -> ParametersParameter:
    return ParametersParameter({"name": name, **value})


def reference_to(appointment: Appointment) -> ParametersParameter:
    return parameter("appointment-reference", valueReference={"reference": appointment.relativePath()})


def resource(name: str, value: Resource) -> ParametersParameter:
    return parameter(name, resource=value.as_json())


if __name__ == "__main__":
    try:
        main()
    except HTTPError as error:
        sys.exit(f"{error}\n{error.response.text}")
