"""`[base]/Patient/[id]/$everything`: https://hl7.org/fhir/R4/patient-operation-everything.html

A search of the patient's compartment over several types, with everything that the found resources refer to.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from api import reading, search
from api.authentication import caller_of
from api.fhir_view import FHIRView
from api.headers import base_of
from api.operations.parameters import inputs_of
from api.search.includes import Include, known_includes, read_includes
from api.search.search import CURSOR, MAX_COUNT, Search, opened
from api.search.system import SystemSearch
from clinic.fhir.issues import InvalidElement
from clinic.fhir.resources import RESOURCES
from clinic.models import Patient
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Invalid, Issue, NotFound

TYPE, SINCE, START, END, COUNT = "_type", "_since", "start", "end", "_count"
PARAMETERS = (START, END, SINCE, TYPE, COUNT, CURSOR)
# The search parameter that has the date of the care, by type. Resources of other types have none.
CARE_DATES = {
    "Appointment": "date",
    "Slot": "start",
    "AppointmentResponse": "appointment.date",
    "QuestionnaireResponse": "authored",
    "Encounter": "date",
    "Task": "authored-on",
    "Communication": "sent",
}


class Everything(FHIRView):
    """Operation Patient/$everything: all resources about one patient that the caller may search for, page by page."""

    http_method_names = ["get", "post", "head"]

    def get(self, request: Request, fhir_id: str) -> Response:
        caller, base = caller_of(request), base_of(request)
        inputs = inputs_of(request, PARAMETERS)
        query = QueryDict(mutable=True)
        for name in sorted(inputs.names):
            query.setlist(name, inputs.every(name, _text))
        inputs.finish()
        patient = reading.visible(Patient.RESOURCE_TYPE, fhir_id, caller)
        assert isinstance(patient, Patient)
        return Response(search.answer(read_everything(patient, query, caller, base), caller, base))

    post = get


def _text(value: Any) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise InvalidElement("Neither a text nor a number")
    return str(value)


def read_everything(patient: Patient, query: QueryDict, caller: Caller, base: str) -> SystemSearch:
    """Read the parameters of the operation for a visible patient.

    Raises Forbidden for a type that is named and may not be searched, NotFound for a deleted patient, and Invalid for a
    record that was merged into another one, for parameters that cannot be read, and for types that no patient has.
    """
    if patient.deleted_at is not None:
        raise NotFound(f"There is no {patient.reference}.")
    if patient.merged_into:
        raise Invalid(f"{patient.reference} was merged into Patient/{patient.merged_into}: ask for everything of that.")
    found = SystemSearch(f"{patient.reference}/$everything")
    query = opened(found, query)
    named = [each.strip() for value in query.getlist(TYPE) for each in value.split(",") if each.strip()]
    found.controls = {COUNT: _count(query.get(COUNT))}
    found.processed = [(name, value) for name, values in query.lists() for value in values if value]
    found.parts = [
        Search(kind, where=[*_conditions(kind, patient, query, caller, base)], controls=found.controls)
        for kind in _kinds(named, caller)
    ]
    found.includes = [each for part in found.parts for each in _includes(part.kind, named)]
    return found


def _kinds(named: list[str], caller: Caller) -> list[str]:
    """Return the types to search, in the order of RESOURCES: those that are named, else all the caller may search."""
    kinds = [kind for kind in RESOURCES if kind in access.PATIENT]
    if not named:
        return access.searchable_types(caller, kinds)
    if unknown := [name for name in named if name not in RESOURCES]:
        text = f"There are no {unknown[0]!r} resources here, but {', '.join(RESOURCES)}."
        raise Invalid(issues=[Issue("not-supported", text, TYPE)])
    kinds = [kind for kind in kinds if kind in named]
    if not kinds:
        text = f"None of these types is about a patient. Those are {', '.join(sorted(access.PATIENT))}."
        raise Invalid(issues=[Issue("not-supported", text, TYPE)])
    for kind in kinds:
        access.require(caller, kind, "s")
    return kinds


def _conditions(kind: str, patient: Patient, query: QueryDict, caller: Caller, base: str) -> Iterator[Q]:
    yield access.of_patient(kind, patient.pk)
    dates = [(CARE_DATES.get(kind), "ge", START), (CARE_DATES.get(kind), "le", END), ("_lastUpdated", "ge", SINCE)]
    for parameter, prefix, name in dates:
        if parameter and (value := query.get(name)):
            try:
                yield search.condition(kind, parameter, f"{prefix}{value}", caller, base)
            except Invalid as error:
                raise Invalid(issues=[replace(issue, expression=name) for issue in error.issues]) from None


def _includes(kind: str, named: list[str]) -> Iterator[Include]:
    """Yield what resources of a type refer to of the clinic, of the types that are named, if any are.

    What they refer to of the patient is found anyway, and nothing of other patients, who came to a visit too, is told.
    """
    if not any(known_includes(kind)):
        return
    for include in read_includes(f"{kind}:*", kind, reverse=False, again=False):
        types = tuple(each for each in include.types if each in access.PUBLIC and (each in named or not named))
        if types:
            yield replace(include, types=types)


def _count(value: str | None) -> str:
    if value and not (value.isascii() and value.isdigit() and len(value) <= 20 and int(value)):
        raise Invalid(issues=[Issue("invalid", f"{value!r} is not a number of resources.", COUNT)])
    return value or str(MAX_COUNT)
