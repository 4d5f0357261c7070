"""Visits, responses to them, and encounters."""

from datetime import timedelta

import factory
from django.utils import timezone as clock
from factory.django import DjangoModelFactory

from clinic import models
from tests.factories.base import MONDAY_9, ResourceFactory
from tests.factories.calendars import ServiceFactory, SlotFactory
from tests.factories.people import PatientFactory


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
        """Set the times of a hold, which began ten minutes before its expiry."""
        if expires is None:
            return {}
        began = expires - timedelta(minutes=10)
        return {"status": "busy-tentative", "blocks_from": began, "hold_expires_at": expires}


class AppointmentResponseFactory(ResourceFactory):
    """The patient's acceptance."""

    class Meta:
        model = models.AppointmentResponse

    appointment = factory.SubFactory(AppointmentFactory)
    actor = factory.LazyAttribute(lambda it: {"reference": it.appointment.patient.reference})
    participant_status = models.AppointmentResponse.Status.ACCEPTED


class WaitlistOfferFactory(DjangoModelFactory):
    """An open offer of the time of `hold` to the `entry`."""

    class Meta:
        model = models.WaitlistOffer

    start = factory.SelfAttribute("hold.start")
    end = factory.SelfAttribute("hold.end")
    offered = factory.LazyFunction(clock.now)
    expires = factory.SelfAttribute("hold.hold_expires_at")
    rule = models.HealthcareService.WaitlistOrder.LONGEST


class AbsenceFactory(DjangoModelFactory):
    """An absence of the actor of `bookable`, of which nothing has been offered yet."""

    class Meta:
        model = models.Absence

    reason = "Flu"
    notice = "Dr. Chen is ill."
    created = factory.LazyFunction(clock.now)


class RebookingFactory(DjangoModelFactory):
    """A visit that an absence makes impossible; its patient is asked."""

    class Meta:
        model = models.Rebooking

    state = models.Rebooking.State.OFFERED


class StaffMessageFactory(DjangoModelFactory):
    """A draft of a message in the words of staff."""

    class Meta:
        model = models.StaffMessage

    subject = "The lift is broken"
    body = "Dear {{ name }}, please use the stairs."
    created = factory.LazyFunction(clock.now)


class EncounterFactory(ResourceFactory):
    """An Encounter in progress; with an `appointment`, of its patient and service."""

    class Meta:
        model = models.Encounter

    status = models.Encounter.Status.IN_PROGRESS
    appointment = None
    patient = factory.LazyAttribute(lambda it: it.appointment.patient if it.appointment else PatientFactory())
    service = factory.LazyAttribute(lambda it: it.appointment.service if it.appointment else None)
    start = MONDAY_9
