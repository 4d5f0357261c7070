"""Slots and Appointments in Django's administration: what is done there are the use cases of scheduling.booking."""

from scheduling.admin import appointments, apps, disclosures, remarks, slots

__all__ = ["appointments", "apps", "disclosures", "remarks", "slots"]
