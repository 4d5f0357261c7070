"""Views of the board of today's visits."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from clinic.models import Appointment, Location
from portal.appointments.refusals import refusal_text
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.board import board
from portal.staff.board.board import Board
from portal.staff.board.forms import StepForm
from scheduling import booking
from scheduling.errors import NotFound, SchedulingError

NOTHING_NEW = 204


@staff_required
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """Show the board of one site. A request with the current stamp gets an empty response."""
    sites = board.sites(caller_of(request))
    if not sites:
        return render(request, "portal/staff/empty.html")
    site = _chosen(sites, request.GET.get("site", ""))
    page = _read(request, site, request.GET.get("practitioner", ""), "all" in request.GET, timezone.now())
    if request.GET.get("stamp") == page.stamp:
        return HttpResponse(status=NOTHING_NEW)
    _disclosed(request, page)
    part = request.headers.get("HX-Request") == "true"
    return render(request, f"portal/staff/board/{'_board' if part else 'board'}.html", {"board": page, "sites": sites})


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
            query = {name: form.cleaned_data[name] for name in ("site", "practitioner") if form.cleaned_data[name]}
            return redirect(f"{reverse('portal:board')}?{urlencode(query)}")
        visit, returns = reverse("portal:staff-visit", args=[appointment_id]), form.cleaned_data["returns"]
        return redirect(f"{visit}?{urlencode({'back': returns})}" if returns else visit)
    practitioner, whole = form.cleaned_data["practitioner"], form.cleaned_data["all"]
    page = _read(request, _chosen(board.sites(caller), site), practitioner, whole, now)
    _disclosed(request, page)
    slip = None if form.cleaned_data["back"] or was is None else page.card(appointment_id)
    return render(request, "portal/staff/board/_board.html", {"board": page, "slip": slip, "was": was})


def _read(request: HttpRequest, site: Location, practitioner: str, whole: bool, now: datetime) -> Board:
    return board.read_board(caller_of(request), site, practitioner=practitioner, whole=whole, now=now)


def _disclosed(request: HttpRequest, page: Board) -> None:
    visits = (card.appointment for column in page.columns for card in column.cards)
    patients = {visit.patient_id for visit in visits if visit.patient_id}
    disclosures.listed_patients(caller_of(request), patients, "board", now=page.now)


def _chosen(sites: list[Location], site_id: str) -> Location:
    """Return the requested site; without one, the first."""
    chosen = next((each for each in sites if each.fhir_id == site_id), None)
    if chosen is None and (site_id or not sites):
        raise Http404
    return chosen or sites[0]
