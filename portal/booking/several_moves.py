"""The page that moves several visits of a series: their old and new times, and other times for those that are taken."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.visit_place import with_chosen_zone
from portal.appointments import several
from portal.appointments.refusals import series_refusal_text
from portal.appointments.several import Several
from portal.appointments.visits import Visit
from portal.booking.cards import show_cards
from portal.booking.planned_form import PlannedTimesForm
from portal.common import form_drafts
from portal.finding.times import Menu, placed
from scheduling import booking
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking import RescheduleRequest
from scheduling.errors import SchedulingError


@dataclass(frozen=True, slots=True)
class SeveralMove:
    """A move of several visits: the caller, the address of the visit's page, and the new time of the first of them."""

    several: Several
    caller: Caller
    back: str
    menu: Menu
    offerings: tuple[Offering, ...]
    start: datetime

    def answer(self, request: HttpRequest, *, now: datetime) -> HttpResponse:
        """Show the old and the new times, then move the visits."""
        zone = self.menu.zone_of(placed(self.offerings))
        moving = self.several.movable
        planned = several.planned_moves(self.several.visit.appointment, moving, self.offerings, self.start, now=now)
        form = form_drafts.form(request, PlannedTimesForm, planned=planned, zone=zone, is_move=True)
        if request.method == "POST" and form.is_valid():
            return self._move(request, moving, form, now)
        rows = form.rows(zone, self.offerings[0].rules.duration)
        context = {
            "visit": self.several.visit,
            "menu": self.menu,
            "choice": self.menu.choice_of(self.offerings, self.start),
            "several": self.several,
            "moves": list(zip(moving, rows, strict=True)),
            "staying": [each for each in self.several.visits if not each.is_movable],
            "form": form,
            "back": self.back,
        }
        return render(request, "portal/booking/several_move.html", context)

    def _move(self, request: HttpRequest, moving: list[Visit], form: PlannedTimesForm, now: datetime) -> HttpResponse:
        starts = form.starts
        moves = {
            visit.id: RescheduleRequest(
                offerings=self.offerings,
                start=starts[number],
                notes={"extension": with_chosen_zone(visit.appointment.extra, self.menu.zone).get("extension", [])},
            )
            for number, visit in enumerate(moving, 1)
            if number in starts
        }
        try:
            moved = booking.reschedule_series(self.several.visit.id, moves, caller=self.caller, now=now)
        except SchedulingError as refusal:
            form_drafts.keep(request)
            messages.error(request, series_refusal_text(refusal))
            return redirect(request.get_full_path())
        form_drafts.done(request)
        messages.success(request, several.moved_text(len(moved)))
        show_cards(request, moved[0])
        return redirect(self.back)
