"""`POST [base]/Patient/$match`: https://hl7.org/fhir/R4/patient-operation-match.html

The Patient may be the body itself, with the rest in the query.
"""

from collections.abc import Iterator

from django.db.models import Q
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.fhir_view import FHIRView
from api.headers import base_of
from api.operations.parameters import boolean, read_inputs, resource, whole_number
from clinic import people_search
from clinic.fhir.datatypes import Json
from clinic.fhir.resources import RESOURCES, References, to_fhir
from clinic.models import Patient
from scheduling import access
from scheduling.access import Caller
from scheduling.interactions import patient_matching

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
# The least likeness of each grade: https://hl7.org/fhir/R4/valueset-match-grade.html
GRADES = {"certain": 1.0, "probable": 0.65, "possible": 0.5}
USUAL, MOST = 10, 100
RESOURCE, COUNT, ONLY_CERTAIN = "resource", "count", "onlyCertainMatches"


class Match(FHIRView):
    """A search for the patients that match a Patient, the likeliest first."""

    http_method_names = ["post"]

    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        access.may_match(caller)
        inputs = read_inputs(request, "Patient")
        inputs.rename({"patient": RESOURCE})
        inputs.only({RESOURCE, COUNT, ONLY_CERTAIN})
        person = inputs.required(RESOURCE, resource("Patient"))
        count = inputs.one(COUNT, whole_number(COUNT, 1, MOST)) or USUAL
        grade = "certain" if inputs.one(ONLY_CERTAIN, boolean) else "possible"
        inputs.finish()
        candidates = [each for each in _candidates(person, caller) if each[0] >= GRADES[grade]]
        candidates.sort(key=lambda each: (-each[0], each[1].pk))
        likeliest = candidates[:count]
        found = [patient for _, patient in likeliest]
        access.record_disclosure(found, "match", caller=caller, now=timezone.now(), query="Patient/$match")
        return Response(_bundle([_entry(score, patient, base_of(request)) for score, patient in likeliest]))


def _candidates(person: Json, caller: Caller) -> Iterator[tuple[float, Patient]]:
    """Yield the visible patients that could match, each with its score: one statement. Raises InvalidResource."""
    from_fhir = RESOURCES["Patient"].from_fhir
    assert from_fhir is not None
    fields = from_fhir(person, References()).fields
    searched = patient_matching.person_from(fields)
    could_be = patient_matching.could_be(searched)
    if fields["family"]:
        could_be |= Q(people_search.named_exactly(fields["family"]))
    for patient in access.visible(Patient, caller).filter(could_be, deleted_at=None):
        yield searched.likeness(patient_matching.person_of(patient)), patient


def _entry(score: float, patient: Patient, base: str) -> Json:
    grade = next(name for name, least in GRADES.items() if score >= least)
    search = {"extension": [{"url": GRADE, "valueCode": grade}], "mode": "match", "score": score}
    return {"fullUrl": f"{base}{patient.reference}", "resource": to_fhir(patient), "search": search}


def _bundle(entries: list[Json]) -> Json:
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return {**bundle, "entry": entries} if entries else bundle
