"""The nouns. One module for each family of resources."""

from clinic.models.appointment import OCCUPYING, Appointment, Slot
from clinic.models.audit import AuditEvent, IdempotencyKey
from clinic.models.base import Resource
from clinic.models.forms import Questionnaire
from clinic.models.people import Gender, Patient, Person, Practitioner, PractitionerRole, User, concept_text
from clinic.models.places import Device, HealthcareService, Location, Organization
from clinic.models.schedule import (
    WEEKDAYS,
    Bookable,
    Schedule,
    SchedulingParameters,
    validate_availability,
)

__all__ = [
    "OCCUPYING",
    "WEEKDAYS",
    "Appointment",
    "AuditEvent",
    "Bookable",
    "Device",
    "Gender",
    "HealthcareService",
    "IdempotencyKey",
    "Location",
    "Organization",
    "Patient",
    "Person",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "Resource",
    "Schedule",
    "SchedulingParameters",
    "Slot",
    "User",
    "concept_text",
    "validate_availability",
]
