"""Views of referrals for staff."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic.models import ServiceRequest
from portal.appointments.referrals import STATE_WORDS, documents_of, download, send_link, sending_of
from portal.common import csv_lists, disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.referrals.downloads import REFERRALS
from scheduling import access, booking
from scheduling.errors import SchedulingError
from scheduling.notifications import links
from scheduling.referrals import Referral, ReferralState, in_state, read_referrals

ON_A_PAGE = 50


@staff_required
@require_GET
def referrals(request: HttpRequest) -> HttpResponse:
    """List the referrals, the latest first: all of them, or those of one state."""
    now, caller = timezone.now(), caller_of(request)
    states = [state for state in ReferralState if state.value == request.GET.get("state")]
    rows = access.staff_referrals(caller)
    for state in states:
        rows = in_state(rows, state, now=now)
    rows = rows.order_by("-authored", "-pk")
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, REFERRALS, _all_of(rows, now), now=now)
    page = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    found = read_referrals(rows[max(page.start_index() - 1, 0) : page.end_index()], now=now)
    disclosures.listed(caller, [each.row for each in found], "referrals", now=now)
    context = {
        "page": page,
        "referrals": [(each, STATE_WORDS[each.state]) for each in found],
        "states": [(state.value, word.word) for state, word in STATE_WORDS.items()],
        "chosen": states[0].value if states else "",
    }
    return render(request, "portal/staff/referrals/index.html", context)


def _all_of(rows: QuerySet[ServiceRequest], now: datetime) -> Iterator[Referral]:
    """Yield all referrals of these rows, which are read in batches."""
    for first in range(0, rows.count(), csv_lists.AT_ONCE):
        yield from read_referrals(rows[first : first + csv_lists.AT_ONCE], now=now)


@staff_required
@require_GET
def referral(request: HttpRequest, referral_id: str) -> HttpResponse:
    """Show a referral: who refers whom for what, why, with which documents, and what became of it."""
    found = _read(request, referral_id, timezone.now())
    context = {
        "referral": found,
        "status": STATE_WORDS[found.state],
        "documents": documents_of(found.row),
        "link": links.ticket_link(found.row) if found.state == ReferralState.OPEN and found.row.service else "",
        "sending": sending_of(found, caller_of(request)),
        "may_withdraw": access.withdrawable_referrals(caller_of(request)).filter(pk=found.row.pk).exists(),
    }
    return render(request, "portal/staff/referrals/referral.html", context)


@staff_required
@require_POST
def send(request: HttpRequest, referral_id: str) -> HttpResponse:
    """Send the link of a referral to its patient."""
    now = timezone.now()
    _read(request, referral_id, now)
    return send_link(request, referral_id, "portal:staff-referral", now=now)


@staff_required
@require_POST
def withdraw(request: HttpRequest, referral_id: str) -> HttpResponse:
    """End a referral, so that its link gives no visit any more."""
    now = timezone.now()
    _read(request, referral_id, now)
    try:
        booking.withdraw(referral_id, caller=caller_of(request), now=now)
        messages.success(request, _("The referral is withdrawn. Its link does not work any more."))
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:staff-referral", referral_id)


@staff_required
@require_GET
def document(request: HttpRequest, referral_id: str, number: int) -> HttpResponse:
    """Return a document of a referral."""
    return download(_read(request, referral_id, timezone.now()).row, number)


def _read(request: HttpRequest, referral_id: str, now: datetime) -> Referral:
    caller = caller_of(request)
    found = next(iter(read_referrals(access.staff_referrals(caller).filter(fhir_id=referral_id), now=now)), None)
    if found is None:
        raise Http404
    disclosures.opened(caller, found.row, now=now)
    return found
