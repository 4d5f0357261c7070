"""`[base]/Patient/$merge` and `$unmerge`: https://hl7.org/fhir/6.0.0-ballot3/patient-operation-merge.html

The answer to both is a Parameters resource: what was asked, the outcome, and the record as it is now.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.fhir_view import FHIRView
from api.headers import base_of
from api.operations.parameters import Inputs, boolean, inputs_of, reference_to, resource
from api.outcomes import outcome
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.fhir.resources import to_fhir
from clinic.fhir.validation import validate
from clinic.models import Patient
from scheduling import access
from scheduling.errors import Issue, RuleBroken
from scheduling.interactions import merging
from scheduling.interactions.merging import Merged, MergeRequest, RecordName

SOURCE, TARGET, RESULT, PREVIEW = "source-patient", "target-patient", "result-patient", "preview"
IDENTIFIER = "-identifier"
UNDONE = (SOURCE, SOURCE + IDENTIFIER)
MERGED = (*UNDONE, TARGET, TARGET + IDENTIFIER, RESULT, PREVIEW)


class Merge(FHIRView):
    """Merges one patient's record into another one. To a preview, which writes nothing, an obstacle is an answer."""

    http_method_names = ["post"]

    def post(self, request: Request) -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)
        inputs = inputs_of(request, MERGED)
        merge = MergeRequest(
            source=_record(SOURCE, inputs, base),
            target=_record(TARGET, inputs, base),
            result=inputs.one(RESULT, _patient),
            preview=bool(inputs.one(PREVIEW, boolean)),
            base=base,
        )
        inputs.finish()
        try:
            merged = merging.merge(merge, caller=caller, now=now)
        except RuleBroken as obstacle:
            if not merge.preview:
                raise
            return Response(_answer(inputs, outcome(obstacle.issues)))
        access.record_disclosure([merged.target], "read", caller=caller, now=now)
        result = to_fhir(merged.target)
        if merge.preview:
            del result["meta"]  # a version that nobody can read
        return Response(_answer(inputs, _outcome(merged), result))


class Unmerge(FHIRView):
    """Undoes the merge of a record into another one."""

    http_method_names = ["post"]

    def post(self, request: Request) -> Response:
        now, caller = timezone.now(), caller_of(request)
        inputs = inputs_of(request, UNDONE)
        name = _record(SOURCE, inputs, base_of(request))
        inputs.finish()
        undone = merging.unmerge(name, caller=caller, now=now)
        access.record_disclosure([undone.source], "read", caller=caller, now=now)
        return Response(_answer(inputs, _outcome(undone), to_fhir(undone.source)))


def _record(name: str, inputs: Inputs, base: str) -> RecordName:
    """Read the parameters that name a record."""
    if not inputs.has(name) and not inputs.has(name + IDENTIFIER):
        inputs.refuse(f"Say {name} or {name}{IDENTIFIER}", name, "required")
    fhir_id = inputs.one(name, reference_to(Patient.RESOURCE_TYPE, base, f"{name} reference"))
    return RecordName(fhir_id=fhir_id or "", identifiers=tuple(inputs.every(name + IDENTIFIER, _identifier)))


def _identifier(value: Any) -> Json:
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        raise InvalidElement("Not an Identifier with a value", "structure")
    return value


def _patient(value: Any) -> Json:
    """Read a Patient, which the answer repeats, and so is well-formed."""
    patient = resource(Patient.RESOURCE_TYPE)(value)
    for issue in validate(deepcopy(patient), Patient.RESOURCE_TYPE):
        raise InvalidElement(issue.text, issue.code, issue.expression.removeprefix(Patient.RESOURCE_TYPE))
    return patient


def _answer(inputs: Inputs, outcome_resource: Json, result: Json | None = None) -> Json:
    parameters: list[Json] = [
        {"name": "input", "resource": {"resourceType": "Parameters", "parameter": list(_echo(inputs))}},
        {"name": "outcome", "resource": outcome_resource},
    ]
    if result is not None:
        parameters.append({"name": "result", "resource": result})
    return {"resourceType": "Parameters", "parameter": parameters}


def _echo(inputs: Inputs) -> Iterator[Json]:
    """Yield the parameters as they were read, in one form for every form of the request."""
    for name in MERGED:
        for value in inputs.every(name, lambda sent: sent):
            match name:
                case "result-patient":
                    yield {"name": name, "resource": value}
                case "preview":
                    yield {"name": name, "valueBoolean": boolean(value)}
                case "source-patient" | "target-patient":
                    yield {"name": name, "valueReference": value if isinstance(value, dict) else {"reference": value}}
                case _:
                    yield {"name": name, "valueIdentifier": value}


def _outcome(merged: Merged) -> Json:
    moved = ", ".join(f"{number} {kind}" for kind, number in merged.moved.items()) or "nothing"
    return outcome([Issue("informational", f"Moved: {moved}.")], "information")
