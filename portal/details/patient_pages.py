"""Decorator of the pages about one patient."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse

from clinic.models import Patient
from portal.common.callers import caller_of, sign_in_required

P = ParamSpec("P")
PatientView = Callable[Concatenate[HttpRequest, Patient, P], HttpResponse]


def of_patient(view: PatientView[P]) -> Callable[..., HttpResponse]:
    """Decorator for pages of a patient: `view` gets the patient, for whom the caller acts, in place of the id."""

    @sign_in_required
    @wraps(view)
    def guarded(request: HttpRequest, /, patient_id: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        own = caller_of(request).confided_patients
        patient = next((each for each in own if each.fhir_id == patient_id), None)
        if patient is None:
            raise Http404
        return view(request, patient, *args, **kwargs)

    return guarded
