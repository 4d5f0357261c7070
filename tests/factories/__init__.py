"""Rows for tests. Any field can be named; many-to-many fields take lists of rows.

Low-level: nothing asks whether a time is offered, and Slots and Appointments are written as told.
"""

from tests.factories.audit import AuditEventFactory
from tests.factories.base import MONDAY_9, NEW_YORK, ResourceFactory, concept
from tests.factories.calendars import (
    EVERY_DAY,
    WORKING_HOURS,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    bookable_of,
)
from tests.factories.clinic import (
    DeviceFactory,
    InsurancePlanFactory,
    LocationFactory,
    OrganizationFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
)
from tests.factories.drafts import save
from tests.factories.forms import QuestionnaireFactory, QuestionnaireResponseFactory
from tests.factories.messages import (
    CalendarFeedFactory,
    CommunicationFactory,
    DuplicatePairFactory,
    MessagePreferencesFactory,
    MessageTemplateFactory,
    PatientNoteFactory,
)
from tests.factories.people import (
    CareTeamFactory,
    CoverageFactory,
    PatientFactory,
    RecallFactory,
    ReferralFactory,
    RelatedPersonFactory,
    UserFactory,
)
from tests.factories.software import (
    ApplicationFactory,
    AppRegistrationFactory,
    ImportFileFactory,
    LaunchFactory,
    NotificationFactory,
    SubscriptionFactory,
)
from tests.factories.visits import (
    AbsenceFactory,
    AppointmentFactory,
    AppointmentResponseFactory,
    EncounterFactory,
    RebookingFactory,
    StaffMessageFactory,
    WaitlistOfferFactory,
)

# One for each type of resource.
FACTORIES = {
    each._meta.model.RESOURCE_TYPE: each
    for each in (
        AppointmentFactory,
        AppointmentResponseFactory,
        AuditEventFactory,
        CareTeamFactory,
        CommunicationFactory,
        CoverageFactory,
        DeviceFactory,
        InsurancePlanFactory,
        EncounterFactory,
        LocationFactory,
        OrganizationFactory,
        PatientFactory,
        PractitionerFactory,
        QuestionnaireFactory,
        QuestionnaireResponseFactory,
        RecallFactory,
        ReferralFactory,
        RelatedPersonFactory,
        RoleFactory,
        ScheduleFactory,
        ServiceFactory,
        SlotFactory,
        SubscriptionFactory,
    )
}

__all__ = [
    "EVERY_DAY",
    "FACTORIES",
    "MONDAY_9",
    "NEW_YORK",
    "WORKING_HOURS",
    "AbsenceFactory",
    "AppRegistrationFactory",
    "ApplicationFactory",
    "AppointmentFactory",
    "AppointmentResponseFactory",
    "AuditEventFactory",
    "CalendarFeedFactory",
    "CareTeamFactory",
    "CommunicationFactory",
    "CoverageFactory",
    "DeviceFactory",
    "DuplicatePairFactory",
    "EncounterFactory",
    "ImportFileFactory",
    "InsurancePlanFactory",
    "LaunchFactory",
    "LocationFactory",
    "MessagePreferencesFactory",
    "MessageTemplateFactory",
    "NotificationFactory",
    "OrganizationFactory",
    "PatientFactory",
    "PatientNoteFactory",
    "PractitionerFactory",
    "QuestionnaireFactory",
    "QuestionnaireResponseFactory",
    "RebookingFactory",
    "RecallFactory",
    "ReferralFactory",
    "RelatedPersonFactory",
    "ResourceFactory",
    "RoleFactory",
    "RoomFactory",
    "ScheduleFactory",
    "ServiceFactory",
    "SlotFactory",
    "StaffMessageFactory",
    "SubscriptionFactory",
    "UserFactory",
    "WaitlistOfferFactory",
    "bookable_of",
    "concept",
    "save",
]
