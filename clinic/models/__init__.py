"""The database models, one module for each family of FHIR resources."""

from clinic.message_kinds import Event, Medium
from clinic.models.appointment import OCCUPYING, Appointment, AppointmentPatient, Slot
from clinic.models.audit import AuditEvent, IdempotencyKey
from clinic.models.base import Resource
from clinic.models.care import CareTeam, Coverage, Encounter
from clinic.models.cds import CdsService
from clinic.models.communication import (
    CalendarFeed,
    Communication,
    MessagePreferences,
    MessageTemplate,
)
from clinic.models.events import EventConsumer, VisitEvent
from clinic.models.forms import Questionnaire, QuestionnaireResponse
from clinic.models.history import PastVersion
from clinic.models.merges import PatientMerge
from clinic.models.parking import ParkedRow
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
from clinic.models.places import Device, Location, Organization
from clinic.models.plugins import PluginFailure
from clinic.models.receivers import EventDelivery, EventReceiver
from clinic.models.responses import AppointmentResponse
from clinic.models.schedule import (
    WEEKDAYS,
    Bookable,
    Schedule,
    SchedulingParameters,
    validate_availability,
)
from clinic.models.services import HealthcareService
from clinic.models.smart import AppRegistration, Launch, UsedAssertion
from clinic.models.subscription import Notification, ScheduleChange, Subscription

# All types of resource, ordered so that a type comes after the types that it refers to.
RESOURCE_MODELS: tuple[type[Resource], ...] = (
    Organization,
    Location,
    Practitioner,
    Questionnaire,
    HealthcareService,
    PractitionerRole,
    Device,
    Patient,
    RelatedPerson,
    Coverage,
    CareTeam,
    Schedule,
    Slot,
    Appointment,
    AppointmentResponse,
    QuestionnaireResponse,
    Encounter,
    Subscription,
    Communication,
    AuditEvent,
)

__all__ = [
    "OCCUPYING",
    "RESOURCE_MODELS",
    "WEEKDAYS",
    "AppRegistration",
    "Appointment",
    "AppointmentPatient",
    "AppointmentResponse",
    "AuditEvent",
    "Bookable",
    "CalendarFeed",
    "CareTeam",
    "CdsService",
    "Communication",
    "Coverage",
    "Device",
    "Encounter",
    "Event",
    "EventConsumer",
    "EventDelivery",
    "EventReceiver",
    "Gender",
    "HealthcareService",
    "IdempotencyKey",
    "Launch",
    "Location",
    "Medium",
    "MessagePreferences",
    "MessageTemplate",
    "Notification",
    "Organization",
    "ParkedRow",
    "PastVersion",
    "Patient",
    "PatientMerge",
    "Person",
    "PluginFailure",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "Resource",
    "Schedule",
    "ScheduleChange",
    "SchedulingParameters",
    "Slot",
    "Subscription",
    "UsedAssertion",
    "User",
    "VisitEvent",
    "concept_text",
    "validate_availability",
]
