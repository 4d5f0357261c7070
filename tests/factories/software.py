"""Registered apps, and subscriptions."""

from datetime import timedelta

import factory
from django.utils import timezone as clock
from factory.django import DjangoModelFactory
from oauth2_provider.models import AccessToken, Application

from clinic import models
from tests.factories.base import ResourceFactory
from tests.factories.people import UserFactory


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
    """The access of a person's app, with a token that is valid for an hour."""

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


class SubscriptionFactory(ResourceFactory):
    """A Subscription to all changes of free time."""

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


class ImportFileFactory(DjangoModelFactory):
    """A file of patients whose columns are still to be chosen."""

    class Meta:
        model = models.ImportFile

    kind = "patients"
    name = "patients.csv"
    header = ["Number", "Family name"]
    text = "Number,Family name\n1,Marlow\n"
    lines = 1
    columns = {"number": 0, "family": 1}
    language = "en"
    created = factory.LazyFunction(clock.now)
