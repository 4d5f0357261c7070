"""The visit and its questions, for the pages that ask and show them."""

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation

from clinic.models import Appointment, Patient
from portal.appointments import visits
from portal.appointments.visits import Visit
from portal.common import disclosures
from portal.common.callers import caller_of
from portal.questions import parts
from portal.questions.parts import Part
from scheduling import access, questionnaire_answers


@dataclass(frozen=True)
class VisitQuestions:
    """A visit and all its pages of questions."""

    visit: Visit
    parts: list[Part]

    @property
    def appointment(self) -> Appointment:
        return self.visit.appointment

    @property
    def is_optional(self) -> bool:
        service = self.appointment.service
        return service is not None and not service.requires_questionnaires

    def part(self, number: int) -> Part:
        found = next((part for part in self.parts if part.number == number), None)
        if found is None:
            raise Http404
        return found


def questions_of(request: HttpRequest, appointment_id: str, now: datetime) -> VisitQuestions:
    """Return the visit with its questions in the reader's language."""
    visit = visit_of(request, appointment_id, now)
    language = translation.get_language() or ""
    forms = questionnaire_answers.forms_of(visit.appointment, visit.zone, language, patient=_record(request, visit))
    return VisitQuestions(visit, parts.parts_of(forms))


def visit_of(request: HttpRequest, appointment_id: str, now: datetime) -> Visit:
    """Return the visit if the caller may see it; else raise Http404."""
    rows = access.visible(Appointment, caller_of(request)).filter(fhir_id=appointment_id, deleted_at=None)
    visit = visits.first(rows, now=now)
    if visit is None or not access.may_see_answers(caller_of(request), visit.appointment):
        raise Http404
    disclosures.opened(caller_of(request), visit.appointment, now=now)
    return visit


def _record(request: HttpRequest, visit: Visit) -> Patient | None:
    """Return the patient's record for initial values, if the caller has signed in and may see it."""
    caller = caller_of(request)
    if caller.user is None or visit.appointment.patient_id is None:
        return None
    if not (caller.is_staff or visit.appointment.patient_id in caller.confided):
        return None
    return access.visible(Patient, caller).filter(pk=visit.appointment.patient_id, deleted_at=None).first()


def redirect_if_lost(questions: VisitQuestions) -> HttpResponse | None:
    """Return a redirect to the page with other times if the hold has ended, else None."""
    held = questions.visit.is_held or questions.visit.is_booked
    return None if held else redirect("portal:confirm", questions.visit.id)
