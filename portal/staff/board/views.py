"""Views of the board of a day's visits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from clinic.models import Appointment, Location
from portal.appointments.refusals import refusal_text
from portal.common import csv_lists, disclosures, kiosk
from portal.common.callers import caller_of, staff_required
from portal.staff.board import board
from portal.staff.board.board import Board
from portal.staff.board.downloads import BOARD
from portal.staff.board.forms import BoardQueryForm, StepForm
from portal.staff.sites import ALL_SITES, chosen_site, chosen_sites, run_sites, sites
from scheduling import booking
from scheduling.errors import NotFound, SchedulingError
from scheduling.notifications import links

NOTHING_NEW = 204


@staff_required
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """Show the board of one site or of all, of today or another day. A request with the current stamp gets an empty
    response.
    """
    known = sites(caller_of(request))
    if not known:
        return render(request, "portal/staff/empty.html")
    query = BoardQueryForm(request.GET)
    query.is_valid()  # an invalid value counts as missing
    page = _read(request, known, request.GET.get("site", ""), query.cleaned_data, timezone.now())
    if csv_lists.is_wanted(request):
        cards = (card for column in page.columns for card in column.cards)
        return csv_lists.download(
            request, BOARD, sorted(cards, key=lambda card: (card.start, card.appointment.pk)), now=timezone.now()
        )
    if request.GET.get("stamp") == page.stamp:
        return HttpResponse(status=NOTHING_NEW)
    _disclosed(request, page)
    part = request.headers.get("HX-Request") == "true"
    context = {
        "board": page,
        "sites": known,
        "run_sites": run_sites(caller_of(request), known),
        "walked_in": page.card(query.cleaned_data["walked_in"]),
    }
    return render(request, f"portal/staff/board/{'_board' if part else 'board'}.html", context)


@staff_required
@require_POST
def step(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Change the status of a visit by one step, or correct a mistake."""
    form = StepForm(request.POST)
    if not form.is_valid():
        raise Http404
    caller, now = caller_of(request), timezone.now()
    was = Appointment.objects.filter(fhir_id=appointment_id).values_list("status", flat=True).first()
    act = booking.correct_status if form.cleaned_data["back"] else booking.change_status
    try:
        act(appointment_id, form.cleaned_data["status"], caller=caller, now=now)
    except NotFound:
        raise Http404 from None
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
        was = None
    site = form.cleaned_data["site"]
    if request.headers.get("HX-Request") != "true":
        if site:
            query = {name: form.cleaned_data[name] for name in ("site", "practitioner", "date")}
            named = urlencode({name: value for name, value in query.items() if value})
            return redirect(f"{reverse('portal:board')}?{named}")
        visit, returns = reverse("portal:staff-visit", args=[appointment_id]), form.cleaned_data["returns"]
        return redirect(f"{visit}?{urlencode({'back': returns})}" if returns else visit)
    page = _read(request, sites(caller), site, form.cleaned_data, now)
    _disclosed(request, page)
    slip = None if form.cleaned_data["back"] or was is None else page.card(appointment_id)
    return render(request, "portal/staff/board/_board.html", {"board": page, "slip": slip, "was": was})


@staff_required
@require_GET
def check_in(request: HttpRequest, site_id: str) -> HttpResponse:
    """Show the poster by which patients check in at a site, to print, and how to make this device a kiosk."""
    site = chosen_site(sites(caller_of(request)), site_id)
    return render(request, "portal/staff/board/check_in.html", {"site": site, "address": links.arrival_link(site)})


@staff_required
@require_POST
def open_kiosk(request: HttpRequest, site_id: str) -> HttpResponse:
    """Sign out, and make this browser a kiosk of the site."""
    kiosk.start(request, chosen_site(sites(caller_of(request)), site_id))
    return redirect("portal:find-visit", site_id)


def _read(request: HttpRequest, known: list[Location], site_id: str, query: Mapping[str, Any], now: datetime) -> Board:
    return board.read_board(
        caller_of(request),
        chosen_sites(known, site_id),
        all_sites=site_id == ALL_SITES,
        now=now,
        day=query.get("date"),
        practitioner=query.get("practitioner", ""),
        whole=query["all"],
    )


def _disclosed(request: HttpRequest, page: Board) -> None:
    visits = (card.appointment for column in page.columns for card in column.cards)
    patients = {visit.patient_id for visit in visits if visit.patient_id}
    disclosures.listed_patients(caller_of(request), patients, "board", now=page.now)
