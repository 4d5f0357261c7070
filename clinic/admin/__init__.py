"""The nouns in Django's administration. Slots and Appointments are in scheduling.admin: theirs are verbs."""

from clinic.admin import audit, care, communication, forms, parking, people, places, schedule, subscription

__all__ = ["audit", "care", "communication", "forms", "parking", "people", "places", "schedule", "subscription"]
