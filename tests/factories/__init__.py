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
    MessagePreferencesFactory,
    MessageTemplateFactory,
)
from tests.factories.people import CareTeamFactory, CoverageFactory, PatientFactory, RelatedPersonFactory, UserFactory
from tests.factories.software import (
    ApplicationFactory,
    AppRegistrationFactory,
    LaunchFactory,
    NotificationFactory,
    SubscriptionFactory,
)
from tests.factories.visits import AppointmentFactory, AppointmentResponseFactory, EncounterFactory

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
        EncounterFactory,
        LocationFactory,
        OrganizationFactory,
        PatientFactory,
        PractitionerFactory,
        QuestionnaireFactory,
        QuestionnaireResponseFactory,
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
    "EncounterFactory",
    "LaunchFactory",
    "LocationFactory",
    "MessagePreferencesFactory",
    "MessageTemplateFactory",
    "NotificationFactory",
    "OrganizationFactory",
    "PatientFactory",
    "PractitionerFactory",
    "QuestionnaireFactory",
    "QuestionnaireResponseFactory",
    "RelatedPersonFactory",
    "ResourceFactory",
    "RoleFactory",
    "RoomFactory",
    "ScheduleFactory",
    "ServiceFactory",
    "SlotFactory",
    "SubscriptionFactory",
    "UserFactory",
    "bookable_of",
    "concept",
    "save",
]
