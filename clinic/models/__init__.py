"""The nouns. One module for each family of resources."""

from clinic.models.appointment import OCCUPYING, Appointment, Slot
from clinic.models.audit import AuditEvent, IdempotencyKey
from clinic.models.base import Resource
from clinic.models.care import CareTeam, Coverage, Encounter
from clinic.models.communication import (
    CalendarFeed,
    Communication,
    Event,
    Medium,
    MessagePreferences,
    MessageTemplate,
)
from clinic.models.forms import Questionnaire, QuestionnaireResponse
from clinic.models.people import (
    Gender,
    Patient,
    Person,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
    User,
    concept_text,
)
from clinic.models.places import Device, HealthcareService, Location, Organization
from clinic.models.schedule import (
    WEEKDAYS,
    Bookable,
    Schedule,
    SchedulingParameters,
    period_of,
    validate_availability,
)

__all__ = [
    "OCCUPYING",
    "WEEKDAYS",
    "Appointment",
    "AuditEvent",
    "Bookable",
    "CalendarFeed",
    "CareTeam",
    "Communication",
    "Coverage",
    "Device",
    "Encounter",
    "Event",
    "Gender",
    "HealthcareService",
    "IdempotencyKey",
    "Location",
    "Medium",
    "MessagePreferences",
    "MessageTemplate",
    "Organization",
    "Patient",
    "Person",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "Resource",
    "Schedule",
    "SchedulingParameters",
    "Slot",
    "User",
    "concept_text",
    "period_of",
    "validate_availability",
]
