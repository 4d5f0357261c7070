"""The database models, one module for each family of FHIR resources."""

from clinic.message_kinds import Event, Medium
from clinic.models.absences import OPEN_REBOOKING, Absence, Rebooking
from clinic.models.appointment import OCCUPYING, Appointment, AppointmentPatient, Slot
from clinic.models.audit import AuditEvent, IdempotencyKey
from clinic.models.base import Resource
from clinic.models.care import CareTeam, Coverage, Encounter
from clinic.models.cds import CdsService
from clinic.models.closures import Closure
from clinic.models.communication import (
    CalendarFeed,
    Communication,
    MessagePreferences,
    MessageTemplate,
)
from clinic.models.delays import Delay
from clinic.models.details import CardPhoto, DetailsChange
from clinic.models.duplicates import DuplicatePair
from clinic.models.embedding import EmbedOrigin
from clinic.models.erasures import Erasure
from clinic.models.events import EventConsumer, VisitEvent
from clinic.models.exports import FhirExport, FhirExportPart
from clinic.models.figures import CountedDay, MessageFigures, TimeFigures, VisitFigures
from clinic.models.forms import Questionnaire, QuestionnaireResponse
from clinic.models.history import PastVersion
from clinic.models.imports import ImportedRow, ImportFile, ImportKind, RefusedLine
from clinic.models.merges import PatientMerge
from clinic.models.parking import ParkedRow
from clinic.models.patient_notes import NOTE_WORDS, PatientNote
from clinic.models.payments import DeskPayment, Payment, PaymentItem, PaymentOrder
from clinic.models.people import (
    AccessNeed,
    Gender,
    Patient,
    Person,
    Practitioner,
    PractitionerPhoto,
    PractitionerRole,
    RelatedPerson,
    User,
    concept_text,
)
from clinic.models.places import Device, Location, Organization, PlaceFeature
from clinic.models.plans import InsurancePlan
from clinic.models.plugins import PluginFailure
from clinic.models.recalls import Task
from clinic.models.receivers import EventDelivery, EventReceiver
from clinic.models.referrals import ServiceRequest
from clinic.models.responses import AppointmentResponse
from clinic.models.schedule import (
    WEEKDAYS,
    Bookable,
    KeptTimeCheck,
    Schedule,
    SchedulingParameters,
    validate_availability,
)
from clinic.models.second_factor import SecondFactorRule
from clinic.models.service_types import ServiceType
from clinic.models.services import HealthcareService
from clinic.models.smart import AppRegistration, Launch, UsedAssertion
from clinic.models.staff import StaffInvitation, StaffRole
from clinic.models.staff_messages import StaffMessage
from clinic.models.staff_notices import NoticeSettings, StaffNotice
from clinic.models.subscription import Notification, ScheduleChange, Subscription
from clinic.models.waitlist import FreedTime, WaitlistCall, WaitlistOffer
from clinic.models.work_items import WorkItem

# All types of resource, ordered so that a type comes after the types that it refers to.
RESOURCE_MODELS: tuple[type[Resource], ...] = (
    Organization,
    Location,
    Practitioner,
    Questionnaire,
    HealthcareService,
    PractitionerRole,
    Device,
    InsurancePlan,
    Patient,
    RelatedPerson,
    Coverage,
    CareTeam,
    ServiceRequest,
    Schedule,
    Slot,
    Appointment,
    AppointmentResponse,
    QuestionnaireResponse,
    Encounter,
    Task,
    Subscription,
    Communication,
    AuditEvent,
)

__all__ = [
    "NOTE_WORDS",
    "OCCUPYING",
    "OPEN_REBOOKING",
    "RESOURCE_MODELS",
    "WEEKDAYS",
    "Absence",
    "AccessNeed",
    "AppRegistration",
    "Appointment",
    "AppointmentPatient",
    "AppointmentResponse",
    "AuditEvent",
    "Bookable",
    "CalendarFeed",
    "CardPhoto",
    "CareTeam",
    "CdsService",
    "Closure",
    "Communication",
    "CountedDay",
    "Coverage",
    "Delay",
    "DeskPayment",
    "DetailsChange",
    "Device",
    "DuplicatePair",
    "EmbedOrigin",
    "Encounter",
    "Erasure",
    "Event",
    "EventConsumer",
    "EventDelivery",
    "EventReceiver",
    "FhirExport",
    "FhirExportPart",
    "FreedTime",
    "Gender",
    "HealthcareService",
    "IdempotencyKey",
    "ImportFile",
    "ImportKind",
    "ImportedRow",
    "InsurancePlan",
    "KeptTimeCheck",
    "Launch",
    "Location",
    "Medium",
    "MessageFigures",
    "MessagePreferences",
    "MessageTemplate",
    "NoticeSettings",
    "Notification",
    "Organization",
    "ParkedRow",
    "PastVersion",
    "Patient",
    "PatientMerge",
    "PatientNote",
    "Payment",
    "PaymentItem",
    "PaymentOrder",
    "Person",
    "PlaceFeature",
    "PluginFailure",
    "Practitioner",
    "PractitionerPhoto",
    "PractitionerRole",
    "Questionnaire",
    "QuestionnaireResponse",
    "Rebooking",
    "RefusedLine",
    "RelatedPerson",
    "Resource",
    "Schedule",
    "ScheduleChange",
    "SchedulingParameters",
    "SecondFactorRule",
    "ServiceRequest",
    "ServiceType",
    "Slot",
    "StaffInvitation",
    "StaffMessage",
    "StaffNotice",
    "StaffRole",
    "Subscription",
    "Task",
    "TimeFigures",
    "UsedAssertion",
    "User",
    "VisitEvent",
    "VisitFigures",
    "WaitlistCall",
    "WaitlistOffer",
    "WorkItem",
    "concept_text",
    "validate_availability",
]
