"""Rows for tests. Any field can be named; many-to-many fields take lists of rows.

Low-level: nothing asks whether a time is offered, and Slots and Appointments are written as told.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import factory
from django.utils import timezone as clock
from factory.django import DjangoModelFactory
from oauth2_provider.models import AccessToken, Application

from clinic import models
from clinic.fhir.resources import RESOURCES, rows_of

MONDAY_9 = datetime(2026, 1, 5, 14, tzinfo=UTC)  # nine o'clock in New York
NEW_YORK = "America/New_York"
WORKING_HOURS = [
    {
        "daysOfWeek": ["mon", "tue", "wed", "thu", "fri"],
        "availableStartTime": "09:00:00",
        "availableEndTime": "17:00:00",
    }
]

# Short names of ServiceFactory for columns of SchedulingParameters.
PARAMETERS = {
    "duration": "duration",
    "interval": "alignment_interval",
    "offset": "alignment_offset",
    "alignment_timezone": "alignment_timezone",
    "buffer_before": "buffer_before",
    "buffer_after": "buffer_after",
    "capacity": "slot_capacity",
    "timezone": "timezone",
    "hours": "availability",
    "not_available": "not_available",
}


def concept(code: str, display: str, system: str = "http://example.org/codes") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


class ResourceFactory(DjangoModelFactory):
    class Meta:
        abstract = True

    last_updated = factory.LazyFunction(clock.now)

    @classmethod
    def _create(cls, model_class, *args, **fields):
        names = {field.name for field in model_class._meta.many_to_many} & fields.keys()
        many = {name: fields.pop(name) for name in names}
        row = super()._create(model_class, *args, **fields)
        for name, rows in many.items():
            getattr(row, name).set(rows)
        return row


class UserFactory(DjangoModelFactory):
    """Signs in with the password `secret-password` unless another is given."""

    class Meta:
        model = models.User

    email = factory.Sequence("user{}@example.com".format)
    password = "secret-password"

    @classmethod
    def _create(cls, model_class, *args, desk_locations=(), **fields):
        user = model_class.objects.create_user(*args, **fields)
        user.desk_locations.set(desk_locations)
        return user


class OrganizationFactory(ResourceFactory):
    class Meta:
        model = models.Organization

    name = factory.Sequence("Organization {}".format)


class LocationFactory(ResourceFactory):
    """A site."""

    class Meta:
        model = models.Location

    name = factory.Sequence("Site {}".format)
    timezone = NEW_YORK


class RoomFactory(LocationFactory):
    """A room; its site is `part_of`."""

    name = factory.Sequence("Room {}".format)
    part_of = factory.SubFactory(LocationFactory)


class PractitionerFactory(ResourceFactory):
    class Meta:
        model = models.Practitioner

    given = "Mei"
    family = factory.Sequence("Chen-{}".format)
    prefix = "Dr."
    timezone = NEW_YORK


class QuestionnaireFactory(ResourceFactory):
    class Meta:
        model = models.Questionnaire

    status = models.Questionnaire.Status.ACTIVE
    title = factory.Sequence("Before your visit {}".format)
    url = factory.Sequence("https://example.org/Questionnaire/{}".format)
    item = [{"linkId": "1", "type": "string", "text": "What brings you here?"}]


class ServiceFactory(ResourceFactory):
    """A visit type with its SchedulingParameters: half an hour, on the quarter, Monday to Friday from 9 to 5.

    `hours` are FHIR availableTime elements. What is None is left out; if all are, there is no parameters row.
    """

    class Meta:
        model = models.HealthcareService

    class Params:
        code = factory.Sequence("visit-{}".format)

    name = factory.Sequence("Visit {}".format)
    type = factory.LazyAttribute(lambda it: [concept(it.code, it.name)])

    duration = 30
    interval = 15
    offset = None
    alignment_timezone = None
    buffer_before = None
    buffer_after = None
    capacity = None
    timezone = None
    hours = WORKING_HOURS
    not_available = None

    @classmethod
    def _create(cls, model_class, *args, **fields):
        given = {column: fields.pop(name) for name, column in PARAMETERS.items()}
        service = super()._create(model_class, *args, **fields)
        if parameters := {column: value for column, value in given.items() if value is not None}:
            models.SchedulingParameters.objects.create(service=service, **parameters)
        return service


class RoleFactory(ResourceFactory):
    class Meta:
        model = models.PractitionerRole

    practitioner = factory.SubFactory(PractitionerFactory)
    organization = factory.SubFactory(OrganizationFactory)


class DeviceFactory(ResourceFactory):
    class Meta:
        model = models.Device

    name = factory.Sequence("Ultrasound {}".format)
    location = factory.SubFactory(LocationFactory)


class PatientFactory(ResourceFactory):
    class Meta:
        model = models.Patient

    given = "Ada"
    family = factory.Sequence("Quinn-{}".format)
    gender = models.Gender.FEMALE
    email = factory.Sequence("patient{}@example.com".format)


def bookable_of(actor):
    """The one Bookable of an actor; a role's is its practitioner's."""
    owner = getattr(actor, "practitioner", actor)
    name = "healthcare_service" if owner.RESOURCE_TYPE == "HealthcareService" else owner.RESOURCE_TYPE.lower()
    return models.Bookable.objects.get_or_create(**{name: owner})[0]


class ScheduleFactory(ResourceFactory):
    """A calendar of `actor` (anyone with time; a new practitioner unless named) for `services` (a new one).

    `timezone` and `parameters` (columns of SchedulingParameters) are kept for each of the services, on this
    schedule alone.
    """

    class Meta:
        model = models.Schedule

    actor = factory.SubFactory(PractitionerFactory)
    services = factory.LazyFunction(lambda: [ServiceFactory()])
    timezone = None
    parameters = {}

    @classmethod
    def _create(cls, model_class, *args, actor, services, timezone, parameters, **fields):
        if isinstance(actor, models.PractitionerRole):
            fields["practitioner_role"] = actor
        schedule = super()._create(model_class, *args, bookable=bookable_of(actor), services=services, **fields)
        own = {**parameters, **({"timezone": timezone} if timezone else {})}
        for service in services if own else ():
            schedule.scheduling_parameters.create(service=service, **own)
        return schedule


class AppointmentFactory(ResourceFactory):
    """A booked visit, with a busy Slot in each of `schedules`; name `hold_expires_at` for a pending one."""

    class Meta:
        model = models.Appointment

    status = models.Appointment.Status.BOOKED
    patient = factory.SubFactory(PatientFactory)
    service = factory.SubFactory(ServiceFactory)
    start = MONDAY_9
    end = factory.LazyAttribute(lambda it: it.start and it.start + timedelta(minutes=30))
    created = factory.LazyFunction(clock.now)
    schedules = ()
    participant = factory.LazyAttribute(
        lambda it: [
            {"actor": {"reference": actor.reference, "display": str(actor)}, "status": "accepted"}
            for actor in (it.patient, *(schedule.actor for schedule in it.schedules))
            if actor
        ]
    )

    @classmethod
    def _create(cls, model_class, *args, schedules, **fields):
        appointment = super()._create(model_class, *args, **fields)
        for schedule in schedules:
            SlotFactory(
                schedule=schedule,
                appointment=appointment,
                start=appointment.start,
                end=appointment.end,
                **cls._hold_until(appointment.hold_expires_at),
            )
        return appointment

    @staticmethod
    def _hold_until(expires):
        """A hold may have expired long ago; it began before that."""
        if expires is None:
            return {}
        began = expires - timedelta(minutes=10)
        return {"status": "busy-tentative", "blocks_from": began, "hold_expires_at": expires}


class AppointmentResponseFactory(ResourceFactory):
    """The patient accepts."""

    class Meta:
        model = models.AppointmentResponse

    appointment = factory.SubFactory(AppointmentFactory)
    actor = factory.LazyAttribute(lambda it: {"reference": it.appointment.patient.reference})
    participant_status = models.AppointmentResponse.Status.ACCEPTED


class SlotFactory(ResourceFactory):
    """Half an hour of a schedule, taken by nobody in particular."""

    class Meta:
        model = models.Slot

    schedule = factory.SubFactory(ScheduleFactory)
    bookable = factory.SelfAttribute("schedule.bookable")
    status = models.Slot.Status.BUSY
    start = MONDAY_9
    end = factory.LazyAttribute(lambda it: it.start + timedelta(minutes=30))


class RelatedPersonFactory(ResourceFactory):
    """Who cares for `patient`; name `user` for one who signs in and books for them."""

    class Meta:
        model = models.RelatedPerson

    patient = factory.SubFactory(PatientFactory)
    given = "Grace"
    family = factory.Sequence("Quinn-{}".format)
    relationship = factory.LazyFunction(
        lambda: [concept("MTH", "mother", "http://terminology.hl7.org/CodeSystem/v3-RoleCode")]
    )


class CoverageFactory(ResourceFactory):
    """Active, since always and for ever unless `start` or `end` say otherwise."""

    class Meta:
        model = models.Coverage

    beneficiary = factory.SubFactory(PatientFactory)
    subscriber_id = factory.Sequence("M-{}".format)
    payor = factory.LazyFunction(lambda: [{"display": "Acme Health"}])


class CareTeamFactory(ResourceFactory):
    """Active; `members` are the practitioners (or whoever has a reference) that look after `patient`."""

    class Meta:
        model = models.CareTeam

    class Params:
        members = ()

    name = factory.Sequence("Care team {}".format)
    patient = factory.SubFactory(PatientFactory)
    participant = factory.LazyAttribute(
        lambda it: [{"member": {"reference": each.reference, "display": str(each)}} for each in it.members]
    )


class EncounterFactory(ResourceFactory):
    """Under way; with an `appointment`, of its patient and service."""

    class Meta:
        model = models.Encounter

    status = models.Encounter.Status.IN_PROGRESS
    appointment = None
    patient = factory.LazyAttribute(lambda it: it.appointment.patient if it.appointment else PatientFactory())
    service = factory.LazyAttribute(lambda it: it.appointment.service if it.appointment else None)
    start = MONDAY_9


class QuestionnaireResponseFactory(ResourceFactory):
    """Completed answers to the only question of QuestionnaireFactory."""

    class Meta:
        model = models.QuestionnaireResponse

    status = models.QuestionnaireResponse.Status.COMPLETED
    questionnaire = factory.SubFactory(QuestionnaireFactory)
    appointment = None
    patient = factory.LazyAttribute(lambda it: it.appointment.patient if it.appointment else PatientFactory())
    authored = MONDAY_9 - timedelta(days=1)
    item = factory.LazyFunction(lambda: [{"linkId": "1", "answer": [{"valueString": "A rash"}]}])


class CommunicationFactory(ResourceFactory):
    """An e-mail that waits to be sent, confirming a visit of `patient` (that of `appointment`, if there is one)."""

    class Meta:
        model = models.Communication

    event = models.Event.CONFIRMATION
    medium = models.Medium.EMAIL
    appointment = None
    patient = factory.LazyAttribute(lambda it: it.appointment.patient if it.appointment else PatientFactory())
    address = factory.LazyAttribute(lambda it: it.patient.email if it.patient else "guest@example.com")
    due = factory.LazyFunction(clock.now)


class MessageTemplateFactory(DjangoModelFactory):
    class Meta:
        model = models.MessageTemplate

    event = models.Event.CONFIRMATION
    medium = models.Medium.EMAIL
    language = "en"
    subject = "Your visit"
    body = "We look forward to seeing you."


class MessagePreferencesFactory(DjangoModelFactory):
    class Meta:
        model = models.MessagePreferences

    patient = factory.SubFactory(PatientFactory)


class CalendarFeedFactory(DjangoModelFactory):
    """The feed of a patient; name `practitioner` (and `patient=None`) for a practitioner's, `secret` to know it."""

    class Meta:
        model = models.CalendarFeed

    class Params:
        secret = factory.Sequence("feed-secret-{}".format)

    patient = factory.Maybe("practitioner", None, factory.SubFactory(PatientFactory))
    practitioner = None
    secret_digest = factory.LazyAttribute(lambda it: sha256(it.secret.encode()).hexdigest())
    created = factory.LazyFunction(clock.now)


class ApplicationFactory(DjangoModelFactory):
    """An app that people sign in to."""

    class Meta:
        model = Application
        skip_postgeneration_save = True

    name = "Visit Buddy"
    client_id = factory.Sequence("app-{}".format)
    client_type = Application.CLIENT_PUBLIC
    authorization_grant_type = Application.GRANT_AUTHORIZATION_CODE
    redirect_uris = "https://app.example.org/back"
    registration = factory.RelatedFactory("tests.factories.AppRegistrationFactory", factory_related_name="application")


class AppRegistrationFactory(DjangoModelFactory):
    class Meta:
        model = models.AppRegistration

    application = factory.SubFactory(ApplicationFactory, registration=None)
    publisher = "Buddy Inc."
    scopes = "patient/*.cruds user/*.cruds openid fhirUser offline_access launch/patient"


class LaunchFactory(DjangoModelFactory):
    """An app that has been let in, with a token that counts for an hour."""

    class Meta:
        model = models.Launch

    application = factory.SubFactory(ApplicationFactory)
    user = factory.SubFactory(UserFactory)
    scope = "patient/Appointment.rs"
    code_digest = factory.Sequence("digest-{}".format)
    created = factory.LazyFunction(clock.now)
    last_used = factory.LazyFunction(clock.now)
    access_token = factory.LazyAttribute(
        lambda it: AccessToken.objects.create(
            token=it.code_digest,
            application=it.application,
            user=it.user,
            scope=it.scope,
            expires=it.created + timedelta(hours=1),
        )
    )


class AuditEventFactory(ResourceFactory):
    class Meta:
        model = models.AuditEvent

    recorded = factory.LazyFunction(clock.now)
    action = models.AuditEvent.Action.EXECUTE
    subtype = "book"


def save(draft, kind):
    """The row of a clinic.fhir Draft, as it is read to be written out."""
    model, fields = RESOURCES[kind].model, dict(draft.fields)
    if model is models.Schedule:
        name, pk = draft.actor
        fields["bookable"] = models.Bookable.objects.get_or_create(**{f"{name}_id": pk})[0]
    if model is models.Slot:
        fields["bookable_id"] = models.Schedule.objects.get(pk=fields["schedule_id"]).bookable_id
    if model is models.Appointment:
        fields.setdefault("created", clock.now())
    row = model.objects.create(last_updated=clock.now(), **fields)
    for name, keys in draft.many.items():
        getattr(row, name).set(keys)
    for each in draft.parameters:
        whose = {"service": row} if each.service_id == "self" else {"service_id": each.service_id, "schedule": row}
        models.SchedulingParameters.objects.create(**whose, **each.fields)
    return rows_of(RESOURCES[kind]).get(pk=row.pk)


class SubscriptionFactory(ResourceFactory):
    """Software hears of all changes of free time."""

    class Meta:
        model = models.Subscription

    status = models.Subscription.Status.ACTIVE
    reason = "To keep free times fresh"
    criteria = "Slot?"
    endpoint = "https://subscriber.example.org/hook"
    payload = "application/fhir+json"
    client = "system"


class NotificationFactory(DjangoModelFactory):
    """A heartbeat that is due; name `schedule`, `first_day` and `last_day` for a change."""

    class Meta:
        model = models.Notification

    subscription = factory.SubFactory(SubscriptionFactory)
    created = factory.LazyFunction(clock.now)
    due = factory.SelfAttribute("created")
