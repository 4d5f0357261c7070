"""What patients narrow the times of a visit down by: with whom, where and when.

A filter offers what there is, and only where there is a choice. What it is asked for and does not offer is as if it
were not asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Prefetch
from django.http import QueryDict
from django.utils import dates
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from clinic import formats
from clinic.models import WEEKDAYS, Gender, Practitioner, PractitionerRole, concept_text
from clinic.time_text import EVENING, NOON
from clinic.translations import text_of
from portal.finding.choosing import Menu, Option, is_person
from portal.finding.positions import Position, away, kilometres_to
from portal.finding.starts import Starts
from scheduling.availability import Offering
from scheduling.core.hours import Window

NAMES = ("practitioner", "location", "specialty", "language", "gender", "part", "weekday")
LINKED = ("practitioner", "location")  # which a link from elsewhere may name

Keep = Callable[[Offering], bool]


@dataclass(frozen=True, slots=True)
class Removal:
    """A choice that is in force, and the query of the page without it."""

    label: str
    query: str


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One question, its answers, and those that were given. Of `several` any number can be."""

    name: str
    label: str
    anything: str
    options: tuple[Option, ...]
    chosen: frozenset[str]
    several: bool = False

    is_choice: bool = False  # whether one of its answers leaves something out

    @property
    def is_everything(self) -> bool:
        """True if every answer was given, which is as good as none."""
        return len(self.chosen) == len(self.options)

    @property
    def chosen_options(self) -> list[Option]:
        return [option for option in self.options if option.value in self.chosen]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """All filters of a visit, and what they leave of its menu."""

    menu: Menu
    asked: QueryDict
    each: dict[str, Filter]
    traits: Mapping[str, Callable[[Offering], Iterable[Option]]]

    @property
    def shown(self) -> list[Filter]:
        return [each for each in self.each.values() if each.is_choice]

    @property
    def active(self) -> list[Filter]:
        return [each for each in self.shown if each.chosen]

    @property
    def idle(self) -> list[str]:
        """The answers that were given and leave nothing out: with them the times are the same."""
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
        """Which of a link's names nobody here has."""
        return [name for name in LINKED if self.asked.get(name) and not self.each[name].chosen]

    @property
    def removals(self) -> list[Removal]:
        """What is in force, each with the way to be rid of it."""
        return [
            Removal(option.label, self.query_without(each.name, option.value))
            for each in self.active
            for option in each.chosen_options
        ]

    def query_without(self, name: str, value: str | None = None) -> str:
        """The query of the page without a filter, or without one of its answers."""
        query = self.asked.copy()
        query.setlist(name, [each for each in query.getlist(name) if value is not None and each != value])
        return f"?{query.urlencode()}"

    @property
    def query_without_any(self) -> str:
        query = self.asked.copy()
        for name in NAMES:
            query.pop(name, None)
        return f"?{query.urlencode()}"

    def narrowed(self, *, without: str = "") -> Menu:
        """The menu that is left; `without` one of the filters."""
        asked = {name: self.each[name].chosen for name in self.traits if name != without and self.each[name].chosen}
        parts, days = self.each["part"].chosen, self.each["weekday"].chosen

        def keep(offering: Offering) -> bool:
            return all(
                not _concerns(name, offering) or any(one.value in chosen for one in self.traits[name](offering))
                for name, chosen in asked.items()
            )

        return self.menu.only(keep, Starts(parts, days) if parts or days else None)


def read_filters(menu: Menu, asked: QueryDict, position: Position | None) -> Filters:
    """Two queries: who the people of the menu are, and what they do."""
    people = _people(menu)

    def practitioner(offering: Offering) -> Iterator[Option]:
        if person := people.get(offering.bookable):
            yield Option(person.fhir_id, str(person))

    def location(offering: Offering) -> Iterator[Option]:
        if site := menu.sites.get(offering.site or 0):
            yield Option(site.fhir_id, text_of(site, "name"))

    def specialty(offering: Offering) -> Iterator[Option]:
        if person := people.get(offering.bookable):
            for role in person.roles.all():
                if offering.actor in (person.reference, role.reference):
                    yield from _concepts(role.specialty)

    def language(offering: Offering) -> Iterator[Option]:
        if person := people.get(offering.bookable):
            yield from (Option(each.value, _language_name(each)) for each in _concepts(person.communication))

    def gender(offering: Offering) -> Iterator[Option]:
        person = people.get(offering.bookable)
        if person and person.gender in (genders := _genders()):
            yield Option(person.gender, genders[person.gender])

    traits = {
        "practitioner": practitioner,
        "location": location,
        "specialty": specialty,
        "language": language,
        "gender": gender,
    }
    options = {name: _options(menu, trait) for name, trait in traits.items()}
    options["location"] = _by_distance(menu, options["location"], position)
    parts, days = _when(menu)
    options["part"] = [Option(each, label) for each, label in _parts().items() if each in parts]
    options["weekday"] = [
        Option(WEEKDAYS[n], str(dates.WEEKDAYS[n]), str(dates.WEEKDAYS_ABBR[n]))
        for n in formats.weekdays()
        if WEEKDAYS[n] in days
    ]
    return Filters(
        menu=menu,
        asked=asked,
        traits=traits,
        each={
            name: replace(
                _filter(name, options[name], asked),
                is_choice=len(options[name]) > 1 and _differ(menu, name, traits.get(name), options[name]),
            )
            for name in NAMES
        },
    )


def _differ(menu: Menu, name: str, trait: Callable[[Offering], Iterable[Option]] | None, options: list[Option]) -> bool:
    """True if an answer leaves out one of the schedules that it concerns; one about times always can."""
    if trait is None:
        return True
    had = [{option.value for option in trait(each)} for each in menu.all_offerings if _concerns(name, each)]
    return any(option.value not in values for option in options for values in had)


def _filter(name: str, options: list[Option], asked: QueryDict) -> Filter:
    label, anything = _labels()[name]
    several = name in ("part", "weekday")
    wanted = asked.getlist(name) if several else [asked.get(name, "")]
    return Filter(
        name=name,
        label=label,
        anything=anything,
        options=tuple(options),
        chosen=frozenset(option.value for option in options if option.value in wanted),
        several=several,
    )


def _labels() -> dict[str, tuple[str, str]]:
    return {
        "practitioner": (_("With"), _("Anyone")),
        "location": (_("Where"), _("Anywhere")),
        "specialty": (_("Specialty"), _("Any specialty")),
        "language": (_("Language spoken"), _("Any language")),
        "gender": (_("Practitioner\u2019s gender"), _("No preference")),
        "part": (_("Time of day"), ""),
        "weekday": (_("Days of the week"), ""),
    }


def _genders() -> dict[str, str]:
    return {Gender.FEMALE: _("A woman"), Gender.MALE: _("A man"), Gender.OTHER: _("Another gender")}


def _parts() -> dict[str, str]:
    return {"morning": _("Morning"), "afternoon": _("Afternoon"), "evening": _("Evening")}


def _people(menu: Menu) -> dict[int, Practitioner]:
    """By their bookable."""
    roles = PractitionerRole.objects.filter(active=True, deleted_at=None)
    bookables = {each.bookable for each in menu.all_offerings if is_person(each)}
    found = Practitioner.objects.filter(bookable__in=bookables).select_related("bookable")
    return {person.bookable.pk: person for person in found.prefetch_related(Prefetch("roles", roles))}


def _options(menu: Menu, trait: Callable[[Offering], Iterable[Option]]) -> list[Option]:
    """What there is, each once, by its label."""
    found = {option.value: option for offering in menu.all_offerings for option in trait(offering)}
    return sorted(found.values(), key=lambda option: option.label.casefold())


def _by_distance(menu: Menu, options: list[Option], position: Position | None) -> list[Option]:
    """The sites that are near first, each with how far it is; those of which one cannot tell last, by name."""
    sites = {site.fhir_id: site for site in menu.sites.values()}
    far = [(option, kilometres_to(sites[option.value], position)) for option in options]
    far.sort(key=lambda each: float("inf") if each[1] is None else each[1])
    return [
        option
        if distance is None
        else Option(option.value, _("%(site)s, %(away)s") % {"site": option.label, "away": away(distance)})
        for option, distance in far
    ]


def _concepts(concepts: Iterable[dict[str, Any]]) -> Iterator[Option]:
    """FHIR CodeableConcepts by their first code; by their text where they have none."""
    for concept in concepts:
        codings = concept.get("coding") or [{}]
        label = concept_text(concept)
        if value := str(codings[0].get("code") or label):
            yield Option(value, label)


def _language_name(language: Option) -> str:
    """What a BCP 47 code is called, where nobody wrote it down."""
    if language.label != language.value:
        return language.label
    try:
        return str(get_language_info(language.value.lower())["name_translated"])
    except KeyError:
        return language.label


def _concerns(name: str, offering: Offering) -> bool:
    """A room has no gender, and who has no site of their own comes to all of them."""
    return offering.site is not None if name == "location" else is_person(offering)


def _when(menu: Menu) -> tuple[set[str], set[str]]:
    """The parts of the day and the days of the week in which there are hours; all where one cannot tell."""
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
    """True if it reaches into the next day."""
    return window.closes <= window.opens
