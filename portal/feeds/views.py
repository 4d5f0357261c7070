"""Views of calendar feeds: secret addresses for calendar programs, created and revoked by their owners."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.common.callers import caller_of, sign_in_required
from portal.feeds import feeds
from scheduling.notifications import CalendarProperties, calendar_of, links

_MADE = "made_feed"  # in the session until the page that shows it


@require_GET
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """Return the feed with this secret as an iCalendar file; 404 once it is revoked."""
    now = timezone.now()
    found = feeds.find(secret)
    if found is None:
        raise Http404
    page = "portal:visit" if found.patient_id else "portal:staff-visit"
    visits = feeds.appointments_of(found, now=now)
    return HttpResponse(
        # A calendar may be shared, so its links lead to pages that need a sign-in and not to manage links.
        calendar_of(
            visits,
            now=now,
            page=lambda each: links.absolute(reverse(page, args=[each.fhir_id])),
            feed=CalendarProperties(
                _("Visits, %(clinic)s") % {"clinic": settings.CLINIC_NAME},
                feeds.blocks_of(found, now=now),
                found.patient_id,
            ),
        ),
        content_type="text/calendar; charset=utf-8",
        headers={"Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex"},
    )


@sign_in_required
@never_cache
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """List the caller's feeds. POST creates one and shows its address, this once."""
    caller = caller_of(request)
    if caller.practitioner is None and caller.patient is None:
        raise PermissionDenied
    address = subscribe = ""
    if request.method == "POST":
        request.session[_MADE] = feeds.make(caller, now=timezone.now())
        return redirect("portal:feeds")
    if secret := request.session.pop(_MADE, ""):
        address = request.build_absolute_uri(reverse("portal:feed", args=[secret]))
        subscribe = f"webcal://{address.partition('://')[2]}"
    context = {"feeds": feeds.of(caller), "address": address, "subscribe": subscribe}
    return render(request, "portal/feeds/index.html", context)


@sign_in_required
@require_POST
def revoke(request: HttpRequest, feed_id: int) -> HttpResponse:
    """Revoke a feed: its address answers 404 from now on."""
    found = get_object_or_404(feeds.of(caller_of(request)), pk=feed_id)
    feeds.revoke(found, now=timezone.now())
    messages.success(request, _("The calendar address has been turned off. It no longer shows your visits."))
    return redirect("portal:feeds")
