"""Messages, preferences and calendar feeds."""

from hashlib import sha256

import factory
from django.utils import timezone as clock
from factory.django import DjangoModelFactory

from clinic import models
from tests.factories.base import ResourceFactory
from tests.factories.people import PatientFactory


class CommunicationFactory(ResourceFactory):
    """An email that waits to be sent, confirming a visit of `patient` (that of `appointment`, if there is one)."""

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


class DuplicatePairFactory(DjangoModelFactory):
    class Meta:
        model = models.DuplicatePair

    score = 70
    reasons = ("name", "birth-date")
    found = factory.LazyFunction(clock.now)


class PatientNoteFactory(DjangoModelFactory):
    class Meta:
        model = models.PatientNote

    patient = factory.SubFactory(PatientFactory)
    text = "Prefers the morning."
    written = factory.LazyFunction(clock.now)


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
