"""Cards of decision services about a visit that a patient has just booked or moved."""

from django.contrib import messages
from django.http import HttpRequest

from clinic.models import Appointment


def show_cards(request: HttpRequest, appointment: Appointment) -> None:
    """Show the cards on the next page."""
    for card in appointment.cards:
        messages.info(request, card)
