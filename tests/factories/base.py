"""The base of all factories."""

from datetime import UTC, datetime
from typing import Any

import factory
from django.utils import timezone as clock
from factory.django import DjangoModelFactory

MONDAY_9 = datetime(2026, 1, 5, 14, tzinfo=UTC)  # nine o'clock in New York
NEW_YORK = "America/New_York"


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
