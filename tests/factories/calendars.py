"""Services, and the calendars of their actors."""

from datetime import timedelta

import factory

from clinic import models
from tests.factories.base import MONDAY_9, ResourceFactory, concept
from tests.factories.clinic import PractitionerFactory

WORKING_HOURS = [
    {
        "daysOfWeek": ["mon", "tue", "wed", "thu", "fri"],
        "availableStartTime": "09:00:00",
        "availableEndTime": "17:00:00",
    }
]
EVERY_DAY = [
    {
        "daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
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
    "day_limit": "day_limit",
    "week_limit": "week_limit",
    "session_limit": "session_limit",
    "new_patient_session_limit": "new_patient_session_limit",
    "timezone": "timezone",
    "hours": "availability",
    "not_available": "not_available",
}


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
    day_limit = None
    week_limit = None
    session_limit = None
    new_patient_session_limit = None
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


class SlotFactory(ResourceFactory):
    """A Slot of half an hour on a schedule, of no Appointment."""

    class Meta:
        model = models.Slot

    schedule = factory.SubFactory(ScheduleFactory)
    bookable = factory.SelfAttribute("schedule.bookable")
    status = models.Slot.Status.BUSY
    start = MONDAY_9
    end = factory.LazyAttribute(lambda it: it.start + timedelta(minutes=30))
