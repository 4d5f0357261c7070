"""Views of paying what is still due for a visit, and of the way back from the payment provider."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from portal.appointments import due_page, manage_links
from portal.appointments.due_page import DuePage
from portal.appointments.visits import own_visit
from portal.common import form_drafts
from portal.common.callers import caller_of, visitor_required


@never_cache
@visitor_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def balance(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Pay what is due for one of the caller's visits."""
    visit = own_visit(request, appointment_id, timezone.now())
    page, back = reverse("portal:balance", args=[visit.id]), reverse("portal:visit", args=[visit.id])
    return DuePage(visit, caller_of(request), page, back).answer(request)


@never_cache
@require_http_methods(["GET", "POST"])
@form_drafts.page
def balance_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Pay what is due by the visit's link, after the birth date."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return render(request, "portal/appointments/expired.html", status=410)
    if not manage_links.is_known(request, visit, now):
        return manage_links.ask_birth_date(request, visit, token, now, purpose="pay")
    page, back = reverse("portal:manage-balance", args=[token]), reverse("portal:manage", args=[token])
    return DuePage(visit, manage_links.caller_by_link(visit), page, back).answer(request)


@never_cache
@require_GET
def back_from_provider(request: HttpRequest, reference: UUID) -> HttpResponse:
    """Redirect from the provider to the page on which the payment was begun."""
    page = due_page.page_of(request.session, reference)
    if not page:
        return render(request, "portal/appointments/payment_back.html")
    return redirect(f"{page}?{'cancelled' if 'cancelled' in request.GET else 'paid'}")
