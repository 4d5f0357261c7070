"""The hold of combined visits that were chosen on a page."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from clinic.models import HealthcareService, Patient
from portal.appointments.visits import own_visit
from portal.booking import holds, referrals, steps
from portal.booking.combined_times import Posted
from portal.booking.former_holds import former_hold
from portal.common.callers import holder_of
from portal.finding import times
from portal.finding.catalogue import bookable
from scheduling import booking
from scheduling.booking import BookingRequest
from scheduling.core.intervals import Span
from scheduling.errors import Invalid, SchedulingError, TimeTaken, TooManyHolds


def hold_combination(
    request: HttpRequest,
    visits: Sequence[Posted],
    *,
    back: str,
    now: datetime,
    patients: Sequence[Patient] = (),
    instead_of: str = "",
) -> HttpResponse:
    """Hold the visits, and redirect to the next step; if they are not free, say so on the page at `back`.

    Without `patients`, one for each visit, they are for the only person whom the caller can book for, if it is one.
    """
    caller = holder_of(request)
    former = former_hold(request, instead_of, caller, now)
    own = caller.only_patient
    extra = referrals.elements(request.session)
    try:
        services = _services(visits)
        requests = [
            BookingRequest(
                service=services[fhir_id],
                offerings=times.read_menu(services[fhir_id]).offerings(schedules),
                start=start,
                patient=patients[number] if patients else own,
                extra=extra,
            )
            for number, (fhir_id, start, schedules) in enumerate(visits)
        ]
        held = booking.hold_combined(requests, caller=caller, now=now, instead_of=former.id if former else None)
    except TimeTaken:
        messages.error(request, _("One of these times has just been taken. Choose another."))
        return redirect(back)
    except TooManyHolds as refusal:
        messages.error(request, f"{refusal} {_('My visits lists them, to book or to let go.')}")
        return redirect(back)
    except SchedulingError as refusal:
        messages.error(request, " ".join(issue.text for issue in refusal.issues))
        return redirect(back)
    holds.remember(request.session, own_visit(request, held[0].fhir_id, now))
    return redirect(steps.next_page(held[0], caller))


def own_times(
    patient: Patient | None, start: datetime, end: datetime, *, besides: Collection[int], now: datetime
) -> list[Span]:
    """Return the time of the patient's other visits; none as long as the patient is not known."""
    return booking.engagements_of(patient, start, end, now=now, besides=besides) if patient else []


def _services(visits: Sequence[Posted]) -> dict[str, HealthcareService]:
    found = {each.fhir_id: each for each in bookable().filter(fhir_id__in=[fhir_id for fhir_id, *_rest in visits])}
    if not found.keys() >= {fhir_id for fhir_id, *_rest in visits}:
        raise Invalid(_("One of these visits can no longer be booked here."))
    return found
