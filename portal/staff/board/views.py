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
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Appointment, Location
from portal.appointments.refusals import refusal_text
from portal.common import csv_lists, disclosures, kiosk
from portal.common.callers import caller_of, staff_required
from portal.staff.board import board
from portal.staff.board.board import Board, BoardQuery
from portal.staff.board.downloads import BOARD
from portal.staff.board.forms import BoardQueryForm, PostedQueryForm, StepForm
from portal.staff.sites import ALL_SITES, chosen_site, chosen_sites, run_sites, sites
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import NotFound, SchedulingError
from scheduling.notifications import links

NOTHING_NEW = 204


@staff_required
@require_http_methods(["GET", "POST"])
def today(request: HttpRequest) -> HttpResponse:
    """Show the board of one site or of all, of today or another day. A request with the current stamp gets an empty
    response. What somebody looks for on it is posted.
    """
    caller, now = caller_of(request), timezone.now()
    known = sites(caller)
    if not known:
        return render(request, "portal/staff/empty.html")
    query = PostedQueryForm(request.POST) if request.method == "POST" else BoardQueryForm(request.GET)
    query.is_valid()  # an invalid value counts as missing
    sent = request.POST if request.method == "POST" else request.GET
    whole = csv_lists.is_wanted(request)
    page = _read(caller, known, sent.get("site", ""), query.cleaned_data, now, whole=whole)
    if whole:
        cards = sorted(page.cards, key=lambda card: (card.start, card.appointment.pk))
        return csv_lists.download(request, BOARD, cards, now=now)
    if sent.get("stamp") == page.stamp:
        return HttpResponse(status=NOTHING_NEW)
    _disclosed(request, page)
    part = request.headers.get("HX-Request") == "true"
    context = {
        "board": page,
        "sites": known,
        "run_sites": run_sites(caller, known),
        "walked_in": page.named,
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
            query = {name: form.cleaned_data[name] for name in ("site", "practitioner", "date", "column", "first")}
            named = urlencode({name: value for name, value in query.items() if value})
            return redirect(f"{reverse('portal:board')}?{named}")
        visit, returns = reverse("portal:staff-visit", args=[appointment_id]), form.cleaned_data["returns"]
        return redirect(f"{visit}?{urlencode({'back': returns})}" if returns else visit)
    page = _read(caller, sites(caller), site, {**form.cleaned_data, "walked_in": appointment_id}, now)
    _disclosed(request, page)
    slip = None if form.cleaned_data["back"] or was is None else page.named
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


def _read(
    caller: Caller, known: list[Location], site_id: str, query: Mapping[str, Any], now: datetime, *, whole: bool = False
) -> Board:
    asked = BoardQuery(
        day=query.get("date"),
        practitioner=query.get("practitioner", ""),
        column=query.get("column", ""),
        first=query.get("first") or 0,
        find=query.get("find", ""),
        named=query.get("walked_in", ""),
        whole=whole,
    )
    return board.read_board(caller, chosen_sites(known, site_id), asked, now=now, all_sites=site_id == ALL_SITES)


def _disclosed(request: HttpRequest, page: Board) -> None:
    shown = [*page.cards, page.named] if page.named else page.cards
    patients = {card.appointment.patient_id for card in shown if card.appointment.patient_id}
    disclosures.listed_patients(caller_of(request), patients, "board", now=page.now)
