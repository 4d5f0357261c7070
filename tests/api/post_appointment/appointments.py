"""Appointments that clients post, and the Slots that they name."""

from datetime import timedelta

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Communication
from tests.api.dialects import matches, window
from tests.factories import SlotFactory
from tests.scheduling.situations import monday

EVENING = 19  # after the hours


def free(api, *hours, schedule=None):
    """References to the computed free Slots that start at these hours."""
    slots = matches(api.get("Slot/$prefetch", window()))
    starts = {each["start"]: each for each in slots if schedule in (None, each["schedule"]["reference"])}
    return [{"reference": f"Slot/{starts[instant(monday(int(hour), round(hour % 1 * 60)))]['id']}"} for hour in hours]


def stored(schedule, hour=EVENING, minute=0, **more):
    start = monday(hour, minute)
    values = {"status": "free", "start": start, "end": start + timedelta(minutes=30), **more}
    return SlotFactory(schedule=schedule, **values)


def appointment(patient, *slots, status="booked", **more):
    """The least that a client sends."""
    references = [each if isinstance(each, dict) else {"reference": each.reference} for each in slots]
    participants = [{"actor": {"reference": patient.reference}, "status": "needs-action"}] if patient else []
    return {"resourceType": "Appointment", "status": status, "slot": references, "participant": participants, **more}


def message_events(visit_id):
    """Return the events of the visit's messages."""
    return set(Communication.objects.filter(appointment__fhir_id=visit_id).values_list("event", flat=True))


def refused(api, status, code, expression, words, body):
    answer = api.post("Appointment", body)
    issue = answer.fhir["issue"][0]
    assert (answer.status_code, issue["code"], issue["expression"]) == (status, code, [expression]), answer.fhir
    assert words in issue["details"]["text"]
    assert not Appointment.objects.filter(patient__fhir_id="ada", status="booked").exists()
    return issue


def entry(resource, full_url=""):
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"resource": resource, "request": request, **({"fullUrl": full_url} if full_url else {})}
