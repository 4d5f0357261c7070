"""Search parameters of schedules, slots, appointments, responses and encounters."""

from dataclasses import replace

from api.search.dates import Date, Period
from api.search.links import Link, ManyLinks, ScheduleActor, TakenSlot
from api.search.references import JsonReference, Short
from api.search.tables.common import (
    ACTIVE,
    ACTORS,
    IDENTIFIED,
    KIND_OF_VISIT,
    PARTICIPATION,
    PATIENT,
    SPECIALTY,
    SUBJECT,
    Parameters,
    json_reference,
)
from api.search.tokens import Code, Concept, Identifier, ServiceType, Token
from api.search.visit_profiles import VisitProfile
from clinic.fhir import codes
from clinic.models import Appointment, AppointmentResponse, Schedule

SCHEDULED = tuple(each for each in ACTORS if each != "RelatedPerson")
PARTICIPANT = json_reference("participant.actor", *ACTORS, indexed=Appointment)
ANSWERING = json_reference("actor", *ACTORS, indexed=AppointmentResponse)
REASONS = ("Condition", "Procedure", "Observation", "ImmunizationRecommendation")


def _only(parameter: JsonReference, kind: str) -> JsonReference:
    """Return the parameter for references to one type only."""
    return replace(parameter, types=(kind,), expression=f"{parameter.element}.where(resolve() is {kind})")


VISITS: dict[str, Parameters] = {
    "Schedule": {
        **ACTIVE,
        **SPECIALTY,
        "actor": ScheduleActor(types=SCHEDULED, element="actor"),
        "date": Period(start="planning_start", end="planning_end", expression="planningHorizon"),
        "service-type": ServiceType(model=Schedule, services="services"),
        "service-category": KIND_OF_VISIT["service-category"],
        "practitioner": Link(
            column="bookable__practitioner",
            types=("Practitioner",),
            expression="",
            ours=True,
            description="The practitioner, whether the actor is the practitioner or one of their roles.",
        ),
        "location": Link(
            column="site",
            types=("Location",),
            expression=f"extension.where(url='{codes.SITE}').value",
            ours=True,
            description="The site of its visits.",
        ),
        "service": ManyLinks(
            model=Schedule,
            column="services",
            for_all="offers_all_services",
            types=("HealthcareService",),
            expression="",
            ours=True,
            description="A service that is given on it.",
        ),
        "care-team": Short(
            types=("CareTeam",),
            chains=(
                "practitioner._has:CareTeam:participant:",
                "actor:PractitionerRole._has:CareTeam:participant:",
            ),
            expression="",
            ours=True,
            description="A care team that the practitioner, or the role, is a member of.",
        ),
    },
    "Slot": {
        **IDENTIFIED,
        **KIND_OF_VISIT,
        "schedule": Link(column="schedule", types=("Schedule",), element="schedule"),
        "status": Token(column="status", system="http://hl7.org/fhir/slotstatus"),
        "start": Date(column="start"),
        "service-type": Concept(places=("service_type",)),
    },
    "Appointment": {
        "_profile": VisitProfile(definition="Resource-profile", expression="Resource.meta.profile"),
        **IDENTIFIED,
        **KIND_OF_VISIT,
        "status": Token(column="status", system="http://hl7.org/fhir/appointmentstatus"),
        "date": Date(column="start", expression="start"),
        "actor": PARTICIPANT,
        "patient": _only(PARTICIPANT, "Patient"),
        "practitioner": _only(PARTICIPANT, "Practitioner"),
        "location": _only(PARTICIPANT, "Location"),
        "part-status": Code(places=("participant.status",), system=PARTICIPATION, expression="participant.status"),
        "slot": TakenSlot(element="slot"),
        "service-type": ServiceType(model=Appointment, services="service"),
        "reason-code": Concept(places=("extra.reasonCode",)),
        "reason-reference": json_reference("extra.reasonReference", *REASONS),
        "based-on": json_reference("extra.basedOn", "ServiceRequest"),
        "supporting-info": json_reference("extra.supportingInformation"),
    },
    "AppointmentResponse": {
        **IDENTIFIED,
        "appointment": Link(column="appointment", types=("Appointment",), element="appointment"),
        "part-status": Token(column="participant_status", system=PARTICIPATION, expression="participantStatus"),
        "actor": ANSWERING,
        "patient": _only(ANSWERING, "Patient"),
        "practitioner": _only(ANSWERING, "Practitioner"),
        "location": _only(ANSWERING, "Location"),
    },
    "Encounter": {
        "identifier": Identifier(definition="clinical-identifier"),
        "status": Token(column="status", system="http://hl7.org/fhir/encounter-status"),
        "class": Token(column="encounter_class", system=codes.ACT_CODE),
        "type": Concept(places=("extra.type",), definition="clinical-type"),
        "patient": replace(PATIENT, definition="clinical-patient"),
        "subject": SUBJECT,
        "appointment": Link(column="appointment", types=("Appointment",), element="appointment"),
        "date": Period(start="start", end="end", definition="clinical-date", expression="period"),
        "participant": json_reference("participant.individual", "Practitioner", "PractitionerRole", "RelatedPerson"),
        "practitioner": _only(json_reference("participant.individual"), "Practitioner"),
        "participant-type": Concept(places=("participant.type",), expression="participant.type"),
        "location": json_reference("extra.location.location", "Location"),
        "service-provider": json_reference("extra.serviceProvider", "Organization"),
        "part-of": json_reference("extra.partOf", "Encounter"),
        "based-on": json_reference("extra.basedOn", "ServiceRequest"),
        "reason-code": Concept(places=("extra.reasonCode",)),
        "reason-reference": json_reference("extra.reasonReference", *REASONS),
    },
}
