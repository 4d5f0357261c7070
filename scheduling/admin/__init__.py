"""Slots and Appointments in Django's administration: what is done there are the use cases of scheduling.booking."""

from scheduling.admin import appointments, apps, slots

__all__ = ["appointments", "apps", "slots"]
