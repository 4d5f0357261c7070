"""The view that finds times for the same visit of several people, and holds them in place of the one that is held."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from clinic import time_text
from clinic.models import HealthcareService, Patient
from portal.appointments.visits import Visit
from portal.booking import steps
from portal.booking.combined_holds import hold_combination, own_times
from portal.booking.combined_times import CombinedChoice, Posted, choice_of, read_visits
from portal.booking.held_pages import hold_required
from portal.common import form_drafts
from portal.common.callers import caller_of
from portal.finding import times
from portal.finding.times import Menu, is_person
from scheduling import availability, requirements
from scheduling.availability import CombinedQuery, Way, ways_of

AROUND = timedelta(hours=3)  # of the held time
FEW = 3


class AlsoForm(forms.Form):
    """Form that chooses when several people have the same visit."""

    visits = forms.ChoiceField(
        label=gettext_lazy("When do you want to come?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose one of the times."),
            "invalid_choice": gettext_lazy("One of these times has just been taken. Choose another."),
        },
    )

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["visits"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def clean_visits(self) -> list[Posted]:
        return read_visits(self.cleaned_data["visits"])


@require_http_methods(["GET", "POST"])
@hold_required
def also(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Ask when the visit's patient and the others, whom the address names, come; then hold all of their visits."""
    service, patient = visit.appointment.service, visit.appointment.patient
    named = set(request.GET.getlist("for"))
    others = [each for each in caller_of(request).patients.values() if each.fhir_id in named and each != patient]
    if service is None or patient is None or not others or visit.appointment.series is not None:
        return redirect(steps.page_of(visit, steps.ABOUT))
    people = [patient, *others]
    unfit = [
        issue.text
        for each in others
        for issue in requirements.age_issues(service, each, requirements.day_of(visit.appointment))
    ]
    options = [] if unfit else _options(visit, service, people, now)
    labels = [(option.value, _label(option, people)) for option in options]
    form = form_drafts.form(request, AlsoForm, choices=labels)
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        posted = form.cleaned_data["visits"]
        back = request.get_full_path()
        return hold_combination(request, posted, back=back, now=now, patients=people, instead_of=visit.id)
    context = {
        "visit": visit,
        "form": form,
        "now": now,
        "progress": steps.progress(visit, caller_of(request), steps.ABOUT, within=True),
        "people": people,
        "unfit": unfit,
        "options": options,
    }
    return render(request, "portal/booking/also.html", context)


def _options(
    visit: Visit, service: HealthcareService, people: Sequence[Patient], now: datetime
) -> list[CombinedChoice]:
    """Return the few nearest times one after another with the same person, and those at one time with several."""
    menu = times.read_menu(service)
    ways = ways_of(service, menu.arrangements)
    own = {slot.schedule_id for slot in visit.appointment.slots.all()}
    same = [
        way.among(tuple(each for each in way.choices if each.schedule in own)) if _has_person(way) else way
        for way in ways
    ]
    after_another = _nearest(visit, menu, [way for way in same if all(way.pools)], people, now, at_once=False)
    at_once = _nearest(visit, menu, ways, people, now, at_once=True)
    return [*after_another, *at_once]


def _has_person(way: Way) -> bool:
    return any(is_person(each) for each in way.choices)


def _nearest(
    visit: Visit, menu: Menu, ways: Sequence[Way], people: Sequence[Patient], now: datetime, *, at_once: bool
) -> list[CombinedChoice]:
    start = visit.appointment.start
    assert start is not None  # a hold has a time
    first, last = max(start - AROUND, now), start + AROUND
    held = [visit.appointment.pk]
    query = CombinedQuery(
        parts=[ways] * len(people),
        start=first,
        end=last,
        at_once=at_once,
        engaged=[own_times(each, first, last + AROUND, besides=held, now=now) for each in people],
        without=held,
    )
    found = [choice_of(visits, [menu] * len(people)) for visits in availability.find_combined(query, now=now)]
    nearest = sorted(found, key=lambda choice: abs(choice.start - start))[:FEW]
    return sorted(nearest, key=lambda choice: choice.start)


def _label(option: CombinedChoice, people: Sequence[Patient]) -> str:
    """Return who comes when and with whom. The visits are in the order of the people."""
    parts = []
    for (_service, choice), person in zip(option.visits, people, strict=True):
        values = {"name": person.given or str(person), "time": time_text.clock(choice.start), "who": choice.with_whom}
        text = _("%(name)s %(time)s with %(who)s") if choice.with_whom else _("%(name)s %(time)s")
        parts.append(text % values)
    return ", ".join(parts)
