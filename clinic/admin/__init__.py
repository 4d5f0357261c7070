"""Django's administration of the models, except Slot and Appointment, which use cases write: see scheduling.admin."""

from clinic.admin import (
    audit,
    care,
    communication,
    embedding,
    forms,
    parking,
    payments,
    people,
    places,
    schedule,
    subscription,
)

__all__ = [
    "audit",
    "care",
    "communication",
    "embedding",
    "forms",
    "parking",
    "payments",
    "people",
    "places",
    "schedule",
    "subscription",
]
