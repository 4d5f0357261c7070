"""Audit events."""

import factory
from django.utils import timezone as clock

from clinic import models
from tests.factories.base import ResourceFactory


class AuditEventFactory(ResourceFactory):
    class Meta:
        model = models.AuditEvent

    recorded = factory.LazyFunction(clock.now)
    action = models.AuditEvent.Action.EXECUTE
    subtype = "book"
