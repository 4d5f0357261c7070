"""Filters of the free times of a service: practitioner, site, specialty, language, gender, access, day and time.

A filter is shown only if there is a choice. A value in the query that it does not have is ignored.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Prefetch
from django.http import QueryDict
from django.utils import dates
from django.utils.translation import gettext as _

from clinic import formats
from clinic.models import (
    WEEKDAYS,
    AccessNeed,
    Gender,
    Location,
    Patient,
    PlaceFeature,
    Practitioner,
    PractitionerRole,
    concept_text,
)
from clinic.named_concepts import specialty_name
from clinic.time_text import EVENING, NOON
from clinic.translations import text_of
from portal.common.people import language_name
from portal.finding.catalogue import accepted_plans, accepts
from portal.finding.positions import Position, away, kilometres_to
from portal.finding.starts import Starts
from portal.finding.times import FilterOption, Menu, is_person
from scheduling.availability import Offering
from scheduling.core.hours import Window

NAMES = (
    "practitioner",
    "location",
    "specialty",
    "qualification",
    "language",
    "gender",
    "access",
    "plan",
    "part",
    "weekday",
)
LINKED = ("practitioner", "location")  # filters that a link from another site may set

Keep = Callable[[Offering], bool]


@dataclass(frozen=True, slots=True)
class Removal:
    """A chosen option, and the query of the page without it."""

    label: str
    query: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An option that suits the patient, and the query of the page with it."""

    label: str
    query: str


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter with its options and the chosen ones. With `several`, any number can be chosen."""

    name: str
    label: str
    anything: str
    options: tuple[FilterOption, ...]
    chosen: frozenset[str]
    several: bool = False

    is_choice: bool = False  # True if one of its options leaves something out

    @property
    def is_everything(self) -> bool:
        """True if all options are chosen, which has the same effect as none."""
        return len(self.chosen) == len(self.options)

    @property
    def chosen_options(self) -> list[FilterOption]:
        return [option for option in self.options if option.value in self.chosen]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Filters of a service, and the menu that they leave."""

    menu: Menu
    query: QueryDict
    each: dict[str, Filter]
    traits: Mapping[str, Callable[[Offering], Iterable[FilterOption]]]
    people: Mapping[int, Practitioner]  # by the primary keys of their bookables

    def people_left(self) -> list[Practitioner]:
        """The practitioners whom the filters leave, sorted by name."""
        left = {offering.bookable for offering in self.narrowed().all_offerings}
        people = (person for bookable, person in self.people.items() if bookable in left)
        return sorted(people, key=lambda person: (person.family, person.given, person.pk))

    @property
    def visible(self) -> list[Filter]:
        return [each for each in self.each.values() if each.is_choice]

    @property
    def active(self) -> list[Filter]:
        return [each for each in self.visible if each.chosen]

    @property
    def idle(self) -> list[str]:
        """The chosen options that have no effect, since all times match them."""
        left = self.narrowed()
        return [
            option.label
            for each in self.active
            if (each.is_everything or not each.several)
            and self.narrowed(without=each.name).arrangements == left.arrangements
            for option in each.chosen_options
        ]

    @property
    def unknown(self) -> list[str]:
        """The filters for which a link has an unknown value."""
        return [name for name in LINKED if self.query.get(name) and not self.each[name].chosen]

    @property
    def removals(self) -> list[Removal]:
        """The chosen options, each with the query that removes it."""
        return [
            Removal(option.label, self.query_without(each.name, option.value))
            for each in self.active
            for option in each.chosen_options
        ]

    def query_without(self, name: str, value: str | None = None) -> str:
        """Return the query of the page without a filter, or without one of its options."""
        query = self.query.copy()
        query.setlist(name, [each for each in query.getlist(name) if value is not None and each != value])
        return f"?{query.urlencode()}"

    @property
    def query_without_any(self) -> str:
        query = self.query.copy()
        for name in NAMES:
            query.pop(name, None)
        return f"?{query.urlencode()}"

    def suggestions(self, patient: Patient | None) -> list[Suggestion]:
        """The filters not in use that suit the patient: the interpreter's language, step-free places."""
        if patient is None:
            return []
        wanted = {"language": patient.interpreter_language} if patient.interpreter_required else {}
        if AccessNeed.STEP_FREE in patient.needs:
            wanted["access"] = PlaceFeature.STEP_FREE
        found = ((each, wanted.get(each.name)) for each in self.visible if not each.chosen)
        return [
            Suggestion(option.label, self._query_with(each.name, option.value))
            for each, value in found
            for option in each.options
            if option.value == value
        ]

    def _query_with(self, name: str, value: str) -> str:
        query = self.query.copy()
        query[name] = value
        return f"?{query.urlencode()}"

    def narrowed(self, *, without: str = "") -> Menu:
        """Return the menu that the filters leave; `without` ignores one of them."""
        values = {name: self.each[name].chosen for name in self.traits if name != without and self.each[name].chosen}
        parts, days = self.each["part"].chosen, self.each["weekday"].chosen

        def keep(offering: Offering) -> bool:
            return all(
                not _concerns(name, offering) or any(option.value in chosen for option in self.traits[name](offering))
                for name, chosen in values.items()
            )

        return self.menu.only(keep, Starts(parts, days) if parts or days else None)


def read_filters(menu: Menu, query: QueryDict, position: Position | None) -> Filters:
    """Return the filters of a menu. Three queries: the practitioners, their roles and the insurance plans; one more for
    its rooms, and two where there are plans.
    """
    people, features = _people(menu), _features(menu)

    def practitioner(offering: Offering) -> Iterator[FilterOption]:
        if person := people.get(offering.bookable):
            yield FilterOption(person.fhir_id, str(person))

    def location(offering: Offering) -> Iterator[FilterOption]:
        if site := menu.sites.get(offering.site or 0):
            yield FilterOption(site.fhir_id, text_of(site, "name"))

    def specialty(offering: Offering) -> Iterator[FilterOption]:
        if person := people.get(offering.bookable):
            for role in person.roles.all():
                if offering.actor in (person.reference, role.reference):
                    yield from _concepts(role.specialty, specialty_name)

    def language(offering: Offering) -> Iterator[FilterOption]:
        if person := people.get(offering.bookable):
            yield from (
                FilterOption(each.value, language_name(each.value, each.label))
                for each in _concepts(person.communication)
            )

    def qualification(offering: Offering) -> Iterator[FilterOption]:
        if person := people.get(offering.bookable):
            yield from _concepts(each.get("code") or {} for each in person.extra.get("qualification", ()))

    def gender(offering: Offering) -> Iterator[FilterOption]:
        person = people.get(offering.bookable)
        if person and person.gender in (genders := _genders()):
            yield FilterOption(person.gender, genders[person.gender])

    def access(offering: Offering) -> Iterator[FilterOption]:
        for feature in features.get(offering.bookable, ()):
            yield FilterOption(feature, str(PlaceFeature(feature).label))

    plans = [each for each in accepted_plans() if accepts(each, menu.service)]

    def plan(offering: Offering) -> Iterator[FilterOption]:
        for accepted in plans:
            sites = {site.pk for site in accepted.locations.all()}
            if not sites or offering.site in sites:
                yield FilterOption(accepted.fhir_id, str(accepted))

    traits = {
        "practitioner": practitioner,
        "location": location,
        "specialty": specialty,
        "qualification": qualification,
        "language": language,
        "gender": gender,
        "access": access,
        "plan": plan,
    }
    options = {name: _options(menu, trait) for name, trait in traits.items()}
    options["location"] = _by_distance(menu, options["location"], position)
    parts, days = _when(menu)
    options["part"] = [FilterOption(each, label) for each, label in _parts().items() if each in parts]
    options["weekday"] = [
        FilterOption(WEEKDAYS[n], str(dates.WEEKDAYS[n]), str(dates.WEEKDAYS_ABBR[n]))
        for n in formats.weekdays()
        if WEEKDAYS[n] in days
    ]
    return Filters(
        menu=menu,
        query=query,
        traits=traits,
        people=people,
        each={
            name: replace(
                _filter(name, options[name], query),
                is_choice=len(options[name]) > 1 and _differ(menu, name, traits.get(name), options[name]),
            )
            for name in NAMES
        },
    )


def _differ(
    menu: Menu,
    name: str,
    trait: Callable[[Offering], Iterable[FilterOption]] | None,
    options: list[FilterOption],
) -> bool:
    """True if an option would leave out a schedule that the filter applies to. Filters of times always may."""
    if trait is None:
        return True
    had = [{option.value for option in trait(each)} for each in menu.all_offerings if _concerns(name, each)]
    return any(option.value not in values for option in options for values in had)


def _filter(name: str, options: list[FilterOption], query: QueryDict) -> Filter:
    label, anything = _labels()[name]
    several = name in ("part", "weekday")
    values = query.getlist(name) if several else [query.get(name, "")]
    return Filter(
        name=name,
        label=label,
        anything=anything,
        options=tuple(options),
        chosen=frozenset(option.value for option in options if option.value in values),
        several=several,
    )


def _labels() -> dict[str, tuple[str, str]]:
    return {
        "practitioner": (_("With"), _("Anyone")),
        "location": (_("Where"), _("Anywhere")),
        "specialty": (_("Specialty"), _("Any specialty")),
        "qualification": (_("Qualification"), _("Any qualification")),
        "language": (_("Language spoken"), _("Any language")),
        "gender": (_("Practitioner\u2019s gender"), _("No preference")),
        "access": (_("Access"), _("Any place")),
        "plan": (_("I am insured with"), _("Any insurance")),
        "part": (_("Time of day"), ""),
        "weekday": (_("Days of the week"), ""),
    }


def _genders() -> dict[str, str]:
    return {Gender.FEMALE: _("A woman"), Gender.MALE: _("A man"), Gender.OTHER: _("Another gender")}


def _parts() -> dict[str, str]:
    return {"morning": _("Morning"), "afternoon": _("Afternoon"), "evening": _("Evening")}


def _people(menu: Menu) -> dict[int, Practitioner]:
    """Return the practitioners of the menu by the primary keys of their bookables."""
    roles = PractitionerRole.objects.filter(active=True, deleted_at=None)
    bookables = {each.bookable for each in menu.all_offerings if is_person(each)}
    found = Practitioner.objects.filter(bookable__in=bookables).select_related("bookable")
    return {person.bookable.pk: person for person in found.prefetch_related(Prefetch("roles", roles))}


def _features(menu: Menu) -> dict[int, set[str]]:
    """Return the features of the places of the menu's schedules, by the primary keys of their bookables.

    A room has those of its site too; a person can be seen in any of the service's rooms at their site.
    """
    offerings = list(menu.all_offerings)
    at_rooms = {each.bookable: each for each in offerings if each.actor.startswith("Location/")}
    rooms = Location.objects.filter(bookable__in=at_rooms).values_list("bookable", "features") if at_rooms else ()
    of_site = {pk: set(site.features) for pk, site in menu.sites.items()}
    of_rooms = {key: {*of_room, *of_site.get(at_rooms[key].site or 0, ())} for key, of_room in rooms}
    for key, offered in of_rooms.items():
        of_site.setdefault(at_rooms[key].site or 0, set()).update(offered)
    others = {each.bookable: of_site.get(each.site or 0, set()) for each in offerings if is_person(each)}
    return {**others, **of_rooms}


def _options(menu: Menu, trait: Callable[[Offering], Iterable[FilterOption]]) -> list[FilterOption]:
    """Return the options that the menu's schedules have, sorted by label."""
    found = {option.value: option for offering in menu.all_offerings for option in trait(offering)}
    return sorted(found.values(), key=lambda option: option.label.casefold())


def _by_distance(menu: Menu, options: list[FilterOption], position: Position | None) -> list[FilterOption]:
    """Return the sites with their distances, nearest first; those with unknown distance come last."""
    sites = {site.fhir_id: site for site in menu.sites.values()}
    far = [(option, kilometres_to(sites[option.value], position)) for option in options]
    far.sort(key=lambda each: float("inf") if each[1] is None else each[1])
    return [
        option
        if distance is None
        else FilterOption(option.value, _("%(site)s, %(away)s") % {"site": option.label, "away": away(distance)})
        for option, distance in far
    ]


def _concepts(
    concepts: Iterable[dict[str, Any]], name_of: Callable[[dict[str, Any]], str] = concept_text
) -> Iterator[FilterOption]:
    """Yield an option for each FHIR CodeableConcept: its first code, or its text if it has none."""
    for concept in concepts:
        codings = concept.get("coding") or [{}]
        label = name_of(concept)
        if value := str(codings[0].get("code") or label):
            yield FilterOption(value, label)


def _concerns(name: str, offering: Offering) -> bool:
    """True if the filter applies to the schedule: locations and plans to those with a site, access to people and rooms,
    all else to people.
    """
    if name in ("location", "plan"):
        return offering.site is not None
    return is_person(offering) or (name == "access" and offering.actor.startswith("Location/"))


def _when(menu: Menu) -> tuple[set[str], set[str]]:
    """Return the parts of the day and the weekdays with opening hours; all of them if that cannot be known."""
    people = [each for each in menu.all_offerings if is_person(each)] or list(menu.all_offerings)
    if menu.zone or not all(each.rules.hours for each in people):
        return set(_parts()), set(WEEKDAYS)
    windows = {window for each in people for window in each.rules.hours}
    parts = {part for window in windows for part in _parts_of(window)}
    days = {
        (day + later) % 7 for window in windows for day in window.weekdays for later in range(1 + _is_night(window))
    }
    return parts, {WEEKDAYS[day] for day in days}


def _parts_of(window: Window) -> Iterator[str]:
    night = _is_night(window)
    if night or window.opens < NOON:
        yield "morning"
    if night or (window.opens < EVENING and window.closes > NOON):
        yield "afternoon"
    if night or window.closes > EVENING:
        yield "evening"


def _is_night(window: Window) -> bool:
    """True if the window ends on the next day."""
    return window.closes <= window.opens
