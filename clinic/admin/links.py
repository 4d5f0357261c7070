"""From one page to another."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clinic.models import Appointment


def visit_link(appointment: Appointment | None) -> SafeString | None:
    """To the page of a visit, if there is one."""
    if appointment is None:
        return None
    address = reverse("admin:clinic_appointment_change", args=[appointment.pk])
    return format_html('<a href="{}">{}</a>', address, appointment)
