"""The Appointments, the new patient and the other client of the tests of Argonaut's $hold and $book."""

from datetime import timedelta

from django.utils import timezone

from clinic.fhir.datatypes import instant
from tests.api.conftest import AccessToken, Api, application
from tests.api.dialects import matches, offer, parameters, reference
from tests.api.visits import HOLD
from tests.scheduling.situations import monday

NORA = {
    "resourceType": "Patient",
    "name": [{"family": "Newman", "given": ["Nora"]}],
    "gender": "female",
    "birthDate": "1980-05-06",
}


def statuses(appointment):
    return {each["status"] for each in appointment["participant"]}


def held(api, chen, **more):
    [appointment] = matches(api.post(HOLD, parameters(appt_id=reference(offer(api, **more)))))
    return appointment


def made(chen, ada, **more):
    """An Appointment that the client made, since it knows the practitioner and the time."""
    return {
        "resourceType": "Appointment",
        "status": "proposed",
        "start": instant(monday(10)),
        "end": instant(monday(11)),
        "participant": [
            {"actor": {"reference": chen.actor.reference}, "status": "needs-action"},
            {"actor": {"display": "Napa Office"}, "status": "needs-action"},
            {"actor": {"reference": ada.reference}, "status": "accepted"},
        ],
        "requestedPeriod": [{"start": instant(monday(0)), "end": instant(monday(0, days=1))}],
        **more,
    }


def another() -> Api:
    """Other software with the same rights."""
    other = application(client_id="another")
    AccessToken.objects.create(
        token="another", application=other, expires=timezone.now() + timedelta(hours=1), scope="system/*.cruds"
    )
    return Api("another")
