"""Pages that move all combined visits together: the times at which they fit, and what changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from clinic.models import Appointment
from portal.appointments import several
from portal.appointments.several import Several
from portal.booking.cards import show_cards
from portal.booking.combined_holds import own_times
from portal.booking.combined_times import CombinedChoice, CombinedForm, Posted, choice_of
from portal.booking.combined_weeks import WeekForm, week_of
from portal.finding import times
from portal.finding.times import Menu
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.availability import CombinedQuery, as_datetime, ways_of
from scheduling.booking import RescheduleRequest
from scheduling.errors import Invalid, SchedulingError, TimeNotOffered, TimeTaken

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CombinedMove:
    """A move of all combined visits: the caller, and the address of the page of one of the visits."""

    several: Several
    caller: Caller
    back: str

    def answer(self, request: HttpRequest, *, now: datetime) -> HttpResponse:
        """List the times, then show the old and the new ones, then move the visits."""
        form = CombinedForm(request.POST if request.method == "POST" else request.GET)
        if request.method == "POST" and "confirm" not in request.POST:
            query = {"which": self.several.which.value, "visits": request.POST.get("visits", "")}
            return redirect(f"{request.path}?{urlencode(query)}")
        if form.is_bound and "visits" in form.data:
            posted = form.cleaned_data["visits"] if form.is_valid() else []
            return self._choose(request, posted, now)
        context = {
            "moved": self.several.visit,
            "several": self.several,
            "back": self.back,
            **week_of(WeekForm(request.GET), lambda start, end: self._search(start, end, now), now=now),
        }
        return render(request, "portal/booking/combined_times.html", context)

    @property
    def _appointments(self) -> list[Appointment]:
        return [each.appointment for each in self.several.movable if each.appointment.service is not None]

    def _menus(self) -> list[Menu]:
        return [times.read_menu(each.service, moved=each) for each in self._appointments if each.service]

    def _search(self, start: datetime, end: datetime, now: datetime) -> list[CombinedChoice]:
        menus, own = self._menus(), self._appointments
        keys = [each.pk for each in own]
        query = CombinedQuery(
            parts=[ways_of(menu.service, menu.arrangements) for menu in menus],
            start=start,
            end=end,
            at_once=len({each.start for each in own}) == 1,
            engaged=[own_times(each.patient, start, end + DAY, besides=keys, now=now) for each in own],
            without=keys,
        )
        found = availability.find_combined(query, now=now)
        present = [each.start for each in own]
        others = [visits for visits in found if [as_datetime(each.start) for each in visits] != present]
        return [choice_of(visits, menus) for visits in others]

    def _choose(self, request: HttpRequest, posted: list[Posted], now: datetime) -> HttpResponse:
        page = f"{request.path}{self.several.query}"
        menus = self._menus()
        if len(posted) != len(menus):
            messages.error(request, _("Choose one of the times below."))
            return redirect(page)
        try:
            moves = {
                each.fhir_id: RescheduleRequest(offerings=menu.offerings(schedules), start=start)
                for each, menu, (_service, start, schedules) in zip(self._appointments, menus, posted, strict=True)
            }
            if request.method == "GET":
                return self._preview(request, menus, list(moves.values()))
            moved = booking.reschedule_series(self.several.visit.id, moves, caller=self.caller, now=now)
        except (TimeTaken, TimeNotOffered, Invalid):
            messages.error(request, _("That time has just been taken. Your visits stay as they were. Choose another."))
            return redirect(page)
        except SchedulingError as refusal:
            messages.error(request, " ".join(issue.text for issue in refusal.issues))
            return redirect(self.back)
        messages.success(request, several.moved_text(len(moved)))
        show_cards(request, moved[0])
        return redirect(self.back)

    def _preview(self, request: HttpRequest, menus: list[Menu], moves: list[RescheduleRequest]) -> HttpResponse:
        choices = [menu.choice_of(move.offerings, move.start) for menu, move in zip(menus, moves, strict=True)]
        context = {
            "visit": self.several.visit,
            "several": self.several,
            "moves": list(zip(self.several.movable, choices, strict=True)),
            "staying": [each for each in self.several.visits if not each.is_movable],
            "value": request.GET["visits"],
            "back": self.back,
        }
        return render(request, "portal/booking/combined_move.html", context)
