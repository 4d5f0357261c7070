"""View that finds times for several services one after another, and holds them together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import money
from clinic.models import HealthcareService
from portal.booking.combined_holds import hold_combination, own_times
from portal.booking.combined_times import CombinedChoice, CombinedForm, choice_of
from portal.booking.combined_weeks import WeekForm, week_of
from portal.booking.former_holds import former_hold, held_with
from portal.common import limits
from portal.common.callers import caller_of
from portal.finding import times
from portal.finding.catalogue import bookable
from portal.finding.times import FilterOption, Menu, is_person
from scheduling import availability
from scheduling.availability import CombinedQuery, Offering, ways_of

MOST_SERVICES = 4
DAY = timedelta(days=1)


class TogetherForm(WeekForm):
    """Query of the page: the week, and whether the order matters. Services and their people are read one by one."""

    any_order = forms.BooleanField(required=False)


@dataclass(frozen=True, slots=True)
class ChosenService:
    """A chosen service: its place in the list, its menu, its people, the chosen one, and the query without it."""

    number: int
    menu: Menu
    people: list[FilterOption]
    person: str
    without: str

    @property
    def service(self) -> HealthcareService:
        return self.menu.service

    @property
    def narrowed(self) -> Menu:
        """The menu with the chosen person only."""
        return self.menu.only(partial(_is_with, f"Practitioner/{self.person}"), None) if self.person else self.menu


@require_http_methods(["GET", "POST"])
def together(request: HttpRequest) -> HttpResponse:
    """Let the patient choose services, and list the times at which all of them fit; on POST hold those of one time."""
    now = timezone.now()
    if request.method == "POST":
        return _hold(request, now)
    form = TogetherForm(request.GET)
    every = {each.fhir_id: each for each in bookable()}
    named = [each for each in request.GET.getlist("service") if each in every][:MOST_SERVICES]
    chosen = [_chosen(request.GET, number, every[fhir_id]) for number, fhir_id in enumerate(named)]
    context: dict[str, Any] = {
        "chosen": chosen,
        "others": list(every.values()) if len(chosen) < MOST_SERVICES else [],
        "any_order": form.value("any_order"),
    }
    if len(chosen) > 1:
        search = partial(_search, request, chosen, bool(form.value("any_order")), now)
        context |= {"total": money.total_text(each.service for each in chosen), **week_of(form, search, now=now)}
    return render(request, "portal/booking/together.html", context)


def _chosen(query: QueryDict, number: int, service: HealthcareService) -> ChosenService:
    menu = times.read_menu(service)
    names = {each.person: each.person_name for each in menu.all_offerings if is_person(each)}
    people = [FilterOption(person.partition("/")[2], name) for person, name in names.items()]
    person = query.get(f"with-{number}", "")
    known = person if person in {each.value for each in people} else ""
    return ChosenService(number, menu, sorted(people, key=_label), known, _without(query, number))


def _label(option: FilterOption) -> str:
    return option.label


def _without(query: QueryDict, number: int) -> str:
    """Return the query of the page without one of its services and the person chosen for it."""
    left = query.copy()
    services, people = left.getlist("service"), [left.get(f"with-{n}", "") for n in range(MOST_SERVICES)]
    left.setlist("service", [each for n, each in enumerate(services) if n != number])
    for n, person in enumerate([*people[:number], *people[number + 1 :], ""]):
        left[f"with-{n}"] = person
    return f"?{left.urlencode()}"


def _is_with(person: str, offering: Offering) -> bool:
    """True for the schedules of a person, and for those of rooms and devices."""
    return not is_person(offering) or offering.person == person


def _search(
    request: HttpRequest,
    chosen: Sequence[ChosenService],
    any_order: bool,
    now: datetime,
    start: datetime,
    end: datetime,
) -> list[CombinedChoice]:
    """Return the combinations of the chosen services that begin within [start, end)."""
    menus = [each.narrowed for each in chosen]
    caller = caller_of(request)
    released = held_with(former_hold(request, "", caller, now))
    patient = caller.only_patient
    query = CombinedQuery(
        parts=[ways_of(menu.service, menu.arrangements) for menu in menus],
        start=start,
        end=end,
        any_order=any_order,
        engaged=[own_times(patient, start, end + DAY, besides=released, now=now)] * len(menus),
        without=released,
    )
    return [choice_of(visits, menus) for visits in availability.find_combined(query, now=now)]


def _hold(request: HttpRequest, now: datetime) -> HttpResponse:
    form = CombinedForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the times below."))
        return redirect(request.get_full_path())
    if caller_of(request).user is None and not limits.allows(request, "hold"):
        return limits.slow_down(request)
    return hold_combination(request, form.cleaned_data["visits"], back=request.get_full_path(), now=now)
