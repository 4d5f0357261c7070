"""The view of what was taken at the desk on a day."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from clinic.country import clinic_zone
from portal.common import csv_lists, disclosures
from portal.common.callers import any_staff_required, caller_of
from portal.staff.payments.day import payment_sites, read_day
from portal.staff.payments.downloads import DESK_PAYMENTS
from portal.staff.sites import chosen_site

DAY = timedelta(days=1)


@any_staff_required
@require_GET
def day(request: HttpRequest) -> HttpResponse:
    """Show what was taken at the desk on a day: at one site, or at all whose payments the caller handles."""
    caller, now = caller_of(request), timezone.now()
    if not caller.handles_payments:
        raise PermissionDenied
    places, today = payment_sites(caller), now.astimezone(clinic_zone()).date()
    site = chosen_site(places, request.GET["site"]) if request.GET.get("site") else None
    chosen = _day(request.GET.get("date", ""), today)
    days = read_day(caller, chosen, [site] if site else places, with_siteless=site is None)
    entries = [entry for each in days for entry in each.entries]
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, DESK_PAYMENTS, entries, now=now)
    visits = [entry.appointment for entry in entries]
    disclosures.listed(caller, visits, "payments", now=now)
    context = {
        "day": chosen,
        "before": chosen - DAY,
        "after": chosen + DAY if chosen < today else None,
        "site": site,
        "sites": places if len(places) > 1 else [],
        "days": days,
        "back": request.get_full_path(),
    }
    return render(request, "portal/staff/payments/day.html", context)


def _day(text: str, today: date) -> date:
    """Return the day that the address names; today without one, for one that cannot be read, and for a later one."""
    try:
        return min(date.fromisoformat(text), today)
    except ValueError:
        return today
