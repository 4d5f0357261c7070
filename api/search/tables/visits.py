"""Search parameters of schedules, slots, appointments, responses and encounters."""

from dataclasses import replace

from api.search.dates import Date, Period
from api.search.links import Link, ManyLinks, ScheduleActor, TakenSlot
from api.search.references import Short
from api.search.tables.common import (
    ACTIVE,
    ACTORS,
    IDENTIFIED,
    KIND_OF_VISIT,
    PARTICIPATION,
    SPECIALTY,
    SUBJECT,
    Parameters,
    written,
)
from api.search.tokens import Code, Concept, Identifier, ServiceType, Token
from clinic.fhir import codes
from clinic.models import Appointment, AppointmentResponse, Schedule

SCHEDULED = tuple(each for each in ACTORS if each != "RelatedPerson")
PARTICIPANT = written("participant.actor", *ACTORS, indexed=Appointment)
ANSWERING = written("actor", *ACTORS, indexed=AppointmentResponse)
REASONS = ("Condition", "Procedure", "Observation", "ImmunizationRecommendation")

VISITS: dict[str, Parameters] = {
    "Schedule": {
        **ACTIVE,
        **SPECIALTY,
        "actor": ScheduleActor(types=SCHEDULED, element="actor"),
        "date": Period(start="planning_start", end="planning_end"),
        "service-type": ServiceType(model=Schedule, services="services"),
        "service-category": KIND_OF_VISIT["service-category"],
        "practitioner": Link(
            column="bookable__practitioner",
            types=("Practitioner",),
            ours=True,
            description="Whose time it is, whether the actor is the practitioner or one of their roles.",
        ),
        "location": Link(column="site", types=("Location",), ours=True, description="The site of its visits."),
        "service": ManyLinks(
            model=Schedule,
            column="services",
            for_all="offers_all_services",
            types=("HealthcareService",),
            ours=True,
            description="A service that is given on it.",
        ),
        "care-team": Short(
            types=("CareTeam",),
            chains=(
                "practitioner._has:CareTeam:participant:",
                "actor:PractitionerRole._has:CareTeam:participant:",
            ),
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
        **IDENTIFIED,
        **KIND_OF_VISIT,
        "status": Token(column="status", system="http://hl7.org/fhir/appointmentstatus"),
        "date": Date(column="start"),
        "actor": PARTICIPANT,
        "patient": replace(PARTICIPANT, types=("Patient",)),
        "practitioner": replace(PARTICIPANT, types=("Practitioner",)),
        "location": replace(PARTICIPANT, types=("Location",)),
        "part-status": Code(places=("participant.status",), system=PARTICIPATION),
        "slot": TakenSlot(element="slot"),
        "service-type": ServiceType(model=Appointment, services="service"),
        "reason-code": Concept(places=("extra.reasonCode",)),
        "reason-reference": written("extra.reasonReference", *REASONS),
        "based-on": written("extra.basedOn", "ServiceRequest"),
        "supporting-info": written("extra.supportingInformation"),
    },
    "AppointmentResponse": {
        **IDENTIFIED,
        "appointment": Link(column="appointment", types=("Appointment",), element="appointment"),
        "part-status": Token(column="participant_status", system=PARTICIPATION),
        "actor": ANSWERING,
        "patient": replace(ANSWERING, types=("Patient",)),
        "practitioner": replace(ANSWERING, types=("Practitioner",)),
        "location": replace(ANSWERING, types=("Location",)),
    },
    "Encounter": {
        "identifier": Identifier(definition="clinical-identifier"),
        "status": Token(column="status", system="http://hl7.org/fhir/encounter-status"),
        "class": Token(column="encounter_class", system=codes.ACT_CODE),
        "type": Concept(places=("extra.type",), definition="clinical-type"),
        "patient": replace(SUBJECT, definition="clinical-patient"),
        "subject": SUBJECT,
        "appointment": Link(column="appointment", types=("Appointment",), element="appointment"),
        "date": Period(start="start", end="end", definition="clinical-date"),
        "participant": written("participant.individual", "Practitioner", "PractitionerRole", "RelatedPerson"),
        "practitioner": written("participant.individual", "Practitioner"),
        "participant-type": Concept(places=("participant.type",)),
        "location": written("extra.location.location", "Location"),
        "service-provider": written("extra.serviceProvider", "Organization"),
        "part-of": written("extra.partOf", "Encounter"),
        "based-on": written("extra.basedOn", "ServiceRequest"),
        "reason-code": Concept(places=("extra.reasonCode",)),
        "reason-reference": written("extra.reasonReference", *REASONS),
    },
}
