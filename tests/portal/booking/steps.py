"""Steps of a browser that books a visit."""

import re

from clinic.models import Appointment, Communication
from tests.portal.eve import GUEST


def hold(client, service, time):
    client.post(f"/book/{service.fhir_id}/hold/", {"time": time})
    return Appointment.objects.get(hold_expires_at__isnull=False)


def later(button_value, minutes=30):
    """Return the value of a later time's button."""
    return button_value.replace(":00:00Z", f":{minutes}:00Z")


def visit_page(visit):
    return f"/appointments/{visit.fhir_id}/"


def page_of(held, step):
    return f"{visit_page(held)}{step}/"


def say_who(client, held, **other):
    return client.post(page_of(held, "about"), {**GUEST, **other})


def code():
    """Return the code in the latest message."""
    return re.search(r"\b\d{6}\b", Communication.objects.filter(event="proof").latest("pk").body)[0]


def prove(client, held, typed=None):
    return client.post(page_of(held, "proof"), {"code": typed or code()})


def book_as_guest(client, held):
    say_who(client, held)
    prove(client, held)
    client.post(page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.status == "booked"
