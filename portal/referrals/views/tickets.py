"""View of a ticket: the page that its link opens, for the patient."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic.models import ServiceRequest
from portal.appointments import visits
from portal.appointments.forms import BirthDateForm
from portal.booking import steps
from portal.common import form_drafts, tickets
from portal.common.callers import caller_of, fresh_caller
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import SchedulingError
from scheduling.notifications import links
from scheduling.referrals import Referral, ReferralState, read_referrals


@never_cache
@require_http_methods(["GET", "POST"])
@form_drafts.page
def ticket(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the visit is for. The reason, and the way to the times, follow after the patient's date of birth."""
    now = timezone.now()
    referral = _referral(token, now)
    if referral is None or referral.row.service is None:
        return render(request, "portal/referrals/ticket_unknown.html", status=404)
    known = _is_known(request, referral.row)
    form = None if known else _proof_form(request, referral.row)
    if request.method == "POST" and referral.state == ReferralState.OPEN:
        signed_in = caller_of(request).user is not None
        if known:
            tickets.remember(request.session, referral.row, proven=False, signed_in=signed_in)
            return redirect(_way(fresh_caller(request), referral, now))
        if form and form.is_valid() and _is_given(request, referral.row, form, now):
            form_drafts.done(request)
            tickets.remember(request.session, referral.row, proven=True, signed_in=signed_in)
            return redirect("portal:ticket", token)
        if form is None:
            return redirect("portal:ticket", token)
    return render(request, "portal/referrals/ticket.html", _context(request, referral, known, form, now))


def _context(
    request: HttpRequest, referral: Referral, known: bool, form: BirthDateForm | None, now: datetime
) -> dict[str, Any]:
    own = visits.one(caller_of(request), referral.visit.fhir_id, now=now) if referral.visit and known else None
    return {
        "referral": referral,
        "known": known,
        "form": form,
        "own": own,
        "can_book": referral.state == ReferralState.OPEN and (own is not None or not referral.is_held),
    }


def _referral(token: str, now: datetime) -> Referral | None:
    fhir_id = links.read_ticket_link(token)
    rows = ServiceRequest.objects.filter(fhir_id=fhir_id, deleted_at=None)
    return next(iter(read_referrals(rows, now=now)), None) if fhir_id else None


def _is_known(request: HttpRequest, row: ServiceRequest) -> bool:
    """True if nothing has to be proven: the referral names nobody, or its patient is known in this browser."""
    caller = caller_of(request)
    return row.patient is None or row.fhir_id in caller.proven_tickets or row.patient.pk in caller.patients


def _proof_form(request: HttpRequest, row: ServiceRequest) -> BirthDateForm | None:
    """Return the form for the patient's date of birth; None if the clinic does not know it."""
    if row.patient is None or row.patient.birth_date is None:
        return None
    return form_drafts.form(request, BirthDateForm)


def _is_given(request: HttpRequest, row: ServiceRequest, form: BirthDateForm, now: datetime) -> bool:
    caller = caller_of(request)
    try:
        if booking.is_birth_date_of_referral(row.fhir_id, form.cleaned_data["birth_date"], caller=caller, now=now):
            return True
        form.add_error("birth_date", _("That date of birth does not match the referral."))
    except SchedulingError as refusal:
        form.add_error("birth_date", str(refusal))
    return False


def _way(caller: Caller, referral: Referral, now: datetime) -> str:
    """Return the address of the next step: of the hold that this browser has with it, else the times."""
    held = visits.one(caller, referral.visit.fhir_id, now=now) if referral.visit else None
    if held is not None:
        return steps.next_page(held, caller)
    assert referral.row.service is not None  # ticket
    return reverse("portal:choose-time", args=[referral.row.service.fhir_id])
