"""Links between pages of the administration."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clinic.models import Appointment, Schedule
from clinic.models.base import Resource


def visit_link(appointment: Appointment | None) -> SafeString | None:
    """Return a link to the page of a visit, or None if there is no visit."""
    if appointment is None:
        return None
    address = reverse("admin:clinic_appointment_change", args=[appointment.pk])
    return format_html('<a href="{}">{}</a>', address, appointment)


def page_of(row: Resource | None) -> str:
    """Return the address of a row's page; without a row, the address of the list of schedules."""
    model = type(row or Schedule())._meta.model_name
    return (
        reverse(f"admin:clinic_{model}_change", args=[row.pk]) if row else reverse(f"admin:clinic_{model}_changelist")
    )
