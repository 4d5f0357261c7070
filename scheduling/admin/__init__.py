"""Slots and Appointments in Django's administration: what is done there are the use cases of scheduling.booking."""

from scheduling.admin import appointments, slots

__all__ = ["appointments", "slots"]
