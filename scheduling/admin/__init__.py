"""Slots and Appointments in Django's admin, changed through the use cases of scheduling.booking."""

from scheduling.admin import appointments, apps, cds_services, disclosures, plugins, receivers, remarks, slots

__all__ = ["appointments", "apps", "cds_services", "disclosures", "plugins", "receivers", "remarks", "slots"]
