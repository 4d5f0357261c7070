"""Visits as agents read them, and the patient for whom an agent acts."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from api.agents.answers import AgentVisit
from clinic.local_time import in_zone
from clinic.models import Appointment, Patient
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Invalid, NotFound
from scheduling.facts import VisitFacts
from scheduling.participants import of_patient
from scheduling.visit_zone import zones_of

Status = Appointment.Status
MOST = 50


def patient_for(caller: Caller, named: str) -> Patient:
    """Return the patient of this id, or the only one for whom the caller acts. Raises Invalid, NotFound."""
    own = [each for each in caller.patients.values() if caller.context_patient in (None, each.pk)]
    if not named:
        if len(own) == 1:
            return own[0]
        raise Invalid("Say for which patient: the id of a FHIR Patient.")
    patient = next((each for each in own if each.fhir_id == named), None)
    if patient is None and (caller.is_system or caller.is_staff):
        patient = access.visible(Patient, caller).filter(fhir_id=named, deleted_at=None).first()
    if patient is None:
        raise NotFound(f"There is no patient {named!r} for whom you may act.")
    return patient


def of(patient: Patient, caller: Caller, *, past: bool, now: datetime) -> list[Appointment]:
    """Return the patient's visits that the caller may see: those to come, or those before, the nearest first."""
    rows = access.visible(Appointment, caller).filter(of_patient(patient.pk), deleted_at=None, suggested_for=None)
    rows = rows.exclude(status=Status.ENTERED_IN_ERROR).select_related("service", "site", "patient")
    if past:
        return list(rows.filter(end__lte=now).order_by("-start", "-pk")[:MOST])
    stands = Q(hold_expires_at=None) | Q(hold_expires_at__gt=now)
    return list(rows.filter(stands, end__gt=now).exclude(status=Status.CANCELLED).order_by("start", "pk")[:MOST])


def described(visits: Iterable[Appointment], *, now: datetime) -> list[AgentVisit]:
    """Return visits as an agent reads them. One query, for their zones."""
    visits = list(visits)
    zones = zones_of(visits)
    return [_described(VisitFacts(visit, zones[visit.pk]), now) for visit in visits]


def _described(facts: VisitFacts, now: datetime) -> AgentVisit:
    visit = facts.appointment
    expires = visit.hold_expires_at
    return AgentVisit(
        visit=visit.fhir_id,
        status="requested" if visit.is_request else "held" if expires else visit.status,
        service=str(facts.name),
        start=facts.start.isoformat(),
        end=facts.end.isoformat(),
        time_zone=facts.zone.key,
        practitioner=facts.with_whom,
        place="by video" if facts.by_video else str(facts.where),
        patient=facts.patient_name,
        reference=facts.reference,
        hold_expires_at=in_zone(expires, facts.zone).isoformat() if expires else None,
        can_be_moved=facts.can_be_moved(now),
        can_be_cancelled=facts.can_be_cancelled(now),
        notes=[str(warning) for warning in visit.warnings],
    )
