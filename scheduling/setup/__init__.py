"""Setting up the clinic: sites, people, rooms, devices, services and calendars, as managers enter them on the pages.

Software writes the same rows by scheduling.interactions.
"""

from scheduling.setup.calendars import save_calendar, set_week
from scheduling.setup.progress import SetupProgress, is_empty, progress
from scheduling.setup.questionnaires import save_questionnaire
from scheduling.setup.rows import save_person, save_place, specialties_of
from scheduling.setup.service_types import load_types, remove_type, rename_type, services_of_types
from scheduling.setup.services import add_services, save_service
from scheduling.setup.templates import CLINIC_KINDS, TEMPLATES, ServiceTemplate, starts_every, templates_of

__all__ = [
    "CLINIC_KINDS",
    "TEMPLATES",
    "ServiceTemplate",
    "SetupProgress",
    "add_services",
    "is_empty",
    "load_types",
    "progress",
    "remove_type",
    "rename_type",
    "save_calendar",
    "save_person",
    "save_place",
    "save_questionnaire",
    "save_service",
    "services_of_types",
    "set_week",
    "specialties_of",
    "starts_every",
    "templates_of",
]
