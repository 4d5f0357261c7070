"""Views by which patients check in: from their visits, by the link of a visit, and at the front desk."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic.models import Location
from portal.appointments import manage_links
from portal.appointments.visits import own_visit
from portal.arrivals import check_in_page, found_visits
from portal.arrivals.forms import FindVisitForm
from portal.common import form_drafts, kiosk, limits
from portal.common.callers import caller_of, visitor_required
from scheduling import access, booking


@never_cache
@visitor_required
@require_http_methods(["GET", "POST"])
def check_in(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Check in for one of the caller's visits, then wait."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    back = reverse("portal:visit", args=[visit.id])
    return check_in_page.respond(request, visit, caller=caller_of(request), is_private=True, now=now, back=back)


@never_cache
@require_http_methods(["GET", "POST"])
@form_drafts.page
def check_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Check in by the visit's link, after the birth date. Staff who scan it at the desk come to the visit."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return render(request, "portal/appointments/expired.html", status=410)
    if caller_of(request).is_staff and access.staff_appointments(caller_of(request)).filter(fhir_id=visit.id).exists():
        return redirect("portal:staff-visit", visit.id)
    if not manage_links.is_known(request, visit, now):
        return manage_links.ask_birth_date(request, visit, token, now, purpose="check-in")
    caller, back = manage_links.caller_by_link(visit), reverse("portal:manage", args=[token])
    return check_in_page.respond(request, visit, caller=caller, is_private=True, now=now, back=back)


@never_cache
@require_http_methods(["GET", "POST"])
@form_drafts.page
def find(request: HttpRequest, site_id: str) -> HttpResponse:
    """Find today's visit at a site by the birth date and something else that the patient knows."""
    now = timezone.now()
    site = _site(site_id)
    if request.method == "POST" and "over" in request.POST:
        found_visits.forget(request)
        return redirect("portal:find-visit", site_id)
    in_kiosk = kiosk.is_kiosk(request, site)
    # What is typed at a kiosk is kept for nobody.
    form = FindVisitForm(request.POST or None) if in_kiosk else form_drafts.form(request, FindVisitForm)
    if request.method == "POST" and form.is_valid():
        if not _may_try(request, site, form.cleaned_data["birth_date"].isoformat(), in_kiosk=in_kiosk):
            return limits.slow_down(request)
        found = booking.find_arrivals(site, form.cleaned_data["birth_date"], form.cleaned_data["known"], now=now)
        if found:
            form_drafts.done(request)
            found_visits.remember(request, site, found, now)
            return (
                redirect("portal:found-visits", site_id)
                if len(found) > 1
                else redirect("portal:found-visit", site_id, 1)
            )
        form.add_error(None, _("We found no visit here today with these details. Check them, or go to the front desk."))
    return render(request, "portal/arrivals/find.html", {"site": site, "form": form, "in_kiosk": in_kiosk})


@never_cache
@require_http_methods(["GET"])
def found(request: HttpRequest, site_id: str) -> HttpResponse:
    """List the visits that were found, if there are several."""
    site = _site(site_id)
    visits = found_visits.at_site(request, site, timezone.now())
    if not visits:
        return redirect("portal:find-visit", site_id)
    return render(request, "portal/arrivals/found.html", {"visits": visits, **_frame(request, site)})


@never_cache
@require_http_methods(["GET", "POST"])
def check_in_found(request: HttpRequest, site_id: str, number: int) -> HttpResponse:
    """Check in for a visit that was found. The page says no more than when and where it is."""
    now = timezone.now()
    site = _site(site_id)
    visit = found_visits.numbered(request, site, number, now)
    if visit is None:
        return redirect("portal:find-visit", site_id)
    caller = manage_links.caller_by_link(visit)
    return check_in_page.respond(request, visit, caller=caller, is_private=False, now=now, **_frame(request, site))


def _site(site_id: str) -> Location:
    rows = Location.objects.filter(part_of=None, status=Location.Status.ACTIVE, deleted_at=None)
    return get_object_or_404(rows, fhir_id=site_id)


def _frame(request: HttpRequest, site: Location) -> dict[str, object]:
    return {"site": site, "in_kiosk": kiosk.is_kiosk(request, site)}


def _may_try(request: HttpRequest, site: Location, born: str, *, in_kiosk: bool) -> bool:
    """True if the attempt is within the limits: of those for one birth date, and of this address on the net.

    A kiosk is one address for everybody who comes.
    """
    of_birth_date = limits.allows(request, "find_visit", key=f"{site.fhir_id} {born}")
    return of_birth_date and (in_kiosk or limits.allows(request, "find_visits"))
