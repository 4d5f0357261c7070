"""The demo's waiting list: Ada waits for an earlier time of her visit, and others wait for any time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from clinic.fhir.waitlist import WaitlistPreferences
from clinic.models import Appointment, HealthcareService, Patient, User, WaitlistCall
from demo.seed.people import FRONT_DESK
from scheduling.access import Caller
from scheduling.booking import WaitlistRequest
from scheduling.booking.waitlist import join_within

HOUR = timedelta(hours=1)
NOTE = "Is at work until four."
# What suits those who wait for any time, and how urgent staff have marked them.
WISHES = (
    (WaitlistPreferences(parts=frozenset({"morning"}), notice=24 * HOUR), 0),
    (WaitlistPreferences(weekdays=frozenset({"mon", "wed"}), notice=2 * HOUR), 1),
    (WaitlistPreferences(notice=4 * HOUR), 5),
)


def leave(
    named: Sequence[Appointment],
    others: Iterable[Patient],
    service: HealthcareService,
    *,
    caller: Caller,
    now: datetime,
) -> None:
    """Put the patient of the first booked visit on the list with it, and some of the others for a service."""
    booked = next(visit for visit in named if visit.status == Appointment.Status.BOOKED and visit.service)
    assert booked.service is not None
    wanted = WaitlistPreferences(notice=2 * HOUR, replaces=booked.reference)
    requests = [WaitlistRequest(service=booked.service, patient=booked.patient, preferences=wanted)]
    requests += [
        WaitlistRequest(service=service, patient=patient, preferences=preferences, priority=priority)
        for patient, (preferences, priority) in zip(others, WISHES, strict=False)
    ]
    for days, request in enumerate(reversed(requests), start=1):
        entry = join_within(request, caller=caller, now=now)
        Appointment.objects.filter(pk=entry.pk).update(created=now - timedelta(days=9 - days))
    rana = User.objects.get(email=FRONT_DESK[0])
    called = {"outcome": WaitlistCall.Outcome.MESSAGE_LEFT, "note": NOTE, "called": now - HOUR, "called_by": rana}
    WaitlistCall.objects.create(entry=entry, **called)
