"""Checklist of services: the first free time of each, or what keeps it from being booked.

It uses the same engine: a service has a first time here if `find_times` would find one. The number of statements does
not depend on the number of services and schedules.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from clinic import visit_place
from clinic.country import clinic_zone
from clinic.local_time import later
from clinic.models import HealthcareService, Location, Patient, Questionnaire, Schedule, User
from clinic.models.base import Resource
from scheduling.availability.faults import Calendar, Examined, Fault, FoundFault, faults_of, first_offer, untaken
from scheduling.availability.free_times import as_datetime, bookable_window, empty_diary, fill
from scheduling.availability.offerings import Arrangement, is_kind, offering_of, ways_of
from scheduling.availability.schedule_rows import OF_ALL, issues_of, read_rows
from scheduling.core.intervals import Span
from scheduling.core.offers import Diary, Offer

SOON, YEAR = timedelta(days=28), timedelta(days=366)
SCHEDULE = (
    "site",
    "practitioner_role__practitioner",
    "bookable__practitioner",
    "bookable__location__part_of",
    "bookable__device__location__part_of",
    "bookable__healthcare_service",
)


@dataclass(frozen=True)
class BookingProblem:
    """A fault that keeps a service from being booked, or a doubtful setting, with advice.

    `mend` is the row on whose page it is corrected; None if there is no such schedule yet. `schedules` are the primary
    keys of the schedules that have the fault.
    """

    fault: Fault
    text: str
    mend: Resource | None
    is_warning: bool
    schedules: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """The result for one service: the start of its first free time in its zone, or None, and its problems."""

    service: HealthcareService
    first: datetime | None
    zone: ZoneInfo
    problems: tuple[BookingProblem, ...]

    @property
    def can_be_booked(self) -> bool:
        return self.first is not None

    @property
    def worth_saying(self) -> list[BookingProblem]:
        """The problems to show: without schedules that were closed on purpose, if others offer the service."""
        return [each for each in self.problems if not (self.can_be_booked and each.fault.is_deliberate)]

    def of(self, schedule: int) -> list[BookingProblem]:
        """The problems of this schedule."""
        return [each for each in self.problems if schedule in each.schedules]


@dataclass
class _Case:
    """A service under examination."""

    service: HealthcareService
    calendars: list[Calendar]
    first: Offer | None = None
    faults: dict[int, list[FoundFault]] = field(default_factory=dict)  # by schedule

    def is_faulty(self, schedule: int) -> bool:
        """True if the schedule by itself cannot offer the service."""
        return any(not each.fault.is_doubt for each in self.faults[schedule])

    @property
    def usable(self) -> list[Calendar]:
        return [each for each in self.calendars if each.offering is not None]

    @property
    def ways(self) -> tuple[Arrangement, ...]:
        return ways_of(self.service, [each.offering for each in self.calendars if each.offering is not None])


def checklist(services: Iterable[HealthcareService], *, now: datetime) -> list[Verdict]:
    """The verdicts of these services, in their order."""
    services = list(services)
    prefetch_related_objects(services, "questionnaires")
    cases = _cases(services)
    _examine(cases, SOON, now)
    _examine([case for case in cases if case.first is None or any(map(case.is_faulty, case.faults))], YEAR, now)
    accepts = _who_accepts(cases)
    return [_verdict(case, accepts, now) for case in cases]


def problems_of_place(place: Location) -> list[FoundFault]:
    """The missing details of a site or room that patients visit."""
    found = []
    if place.status != Location.Status.ACTIVE:
        text = _("It is not active: nothing can be booked there. Change its status.")
        found.append(FoundFault(Fault.SITE_CLOSED, text, place))
    if place.part_of_id is not None:
        return found
    if not place.timezone:
        found.append(FoundFault(Fault.SITE_WITHOUT_ZONE, _("It has no time zone. Choose one."), place))
    if not (place.line and place.city):
        text = _("Its address is not complete, so patients are not told where to go. Enter the street and the city.")
        found.append(FoundFault(Fault.NO_ADDRESS, text, place))
    if not visit_place.phone_of(place):
        text = _("It has no phone number, so patients are not told whom to call. Enter one.")
        found.append(FoundFault(Fault.NO_PHONE, text, place))
    return found


def _cases(services: Sequence[HealthcareService]) -> list[_Case]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"{OF_ALL} WHERE service.id = ANY(%s) AND schedule.deleted_at IS NULL"
            " AND (schedule.offers_all_services OR offered.id IS NOT NULL) ORDER BY schedule.id",
            [[service.pk for service in services]],
        )
        rows = [row for row in read_rows(cursor) if not row.actor.startswith(Patient.RESOURCE_TYPE)]
    found = Schedule.objects.select_related(*SCHEDULE).prefetch_related("scheduling_parameters")
    schedules = found.in_bulk({row.schedule for row in rows})
    cases = {service.pk: _Case(service, []) for service in services}
    for row in rows:
        offering = None if issues_of(row, "") else offering_of(row)
        cases[row.service].calendars.append(Calendar(row, schedules[row.schedule], offering))
    return list(cases.values())


def _examine(cases: Collection[_Case], reach: timedelta, now: datetime) -> None:
    """Find each service's first time within `reach` of now, and the faults of each of its schedules. One statement."""
    if not cases:
        return
    start, end = _window(now, reach)
    diaries: list[tuple[_Case, dict[int, Diary]]] = []
    for case in cases:
        mine = {each.schedule: empty_diary(each) for way in case.ways for pool in way for each in pool}
        mine |= {each.row.schedule: empty_diary(each.offering) for each in case.usable if each.offering is not None}
        diaries.append((case, mine))
    fill([(case.service, mine) for case, mine in diaries], start, end, now=now)
    examined: Examined = {}
    for case, mine in diaries:
        first, last = bookable_window(case.service, now, later(now, reach), now)
        case.first = _first(case.ways, mine, (first, last))
        for calendar in case.calendars:
            known = replace(calendar, diary=mine.get(calendar.row.schedule))
            case.faults[calendar.row.schedule] = faults_of(known, (start, end), examined)
        if case.first is None and reach == YEAR:
            case.faults[0] = list(_together(case, mine, (first, last), (start, end)))


def _window(now: datetime, reach: timedelta) -> Span:
    return int(now.timestamp()), int(later(now, reach).timestamp())


def _first(ways: Iterable[Arrangement], diaries: dict[int, Diary], window: Span) -> Offer | None:
    return first_offer([choice for way in ways for choice in _choices(way, diaries)], *window)


def _choices(way: Arrangement, diaries: dict[int, Diary]) -> Iterator[list[list[Diary]]]:
    """The diaries of an arrangement; one after another if a visit needs one of them alone."""
    pools = [[diaries[each.schedule] for each in pool] for pool in way]
    yield from ([[diary]] for diary in pools[0]) if len(pools) == 1 else [pools]


def _together(case: _Case, diaries: dict[int, Diary], bookable: Span, whole: Span) -> Iterator[FoundFault]:
    """Faults of schedules that could each offer the service by themselves."""
    if not case.ways or not case.service.active:
        return
    if bookable[0] >= bookable[1]:
        yield from _no_days(case.service)
        return
    free = {schedule: untaken(diary) for schedule, diary in diaries.items()}
    if _first(case.ways, free, bookable) is not None:
        yield FoundFault(Fault.ALL_TAKEN, _("Everything is taken. Open more hours."), case.service)
    elif _first(case.ways, free, whole) is not None:
        text = _(
            "It has no open hours between its minimum notice and how far ahead it can be booked. Change one of them."
        )
        yield FoundFault(Fault.NOTHING_SO_SOON, text, case.service)
    elif all(any(not case.is_faulty(each.schedule) for each in pool) for way in case.ways for pool in way):
        text = _(
            "The schedules that a visit needs are never free at the same time. Match their hours, lengths and starting"
            " times."
        )
        yield FoundFault(Fault.NEVER_TOGETHER, text, case.service)


def _no_days(service: HealthcareService) -> Iterator[FoundFault]:
    days = service.booking_horizon_days
    if days == 0:
        text = _("It can be booked 0 days ahead, so never. Enter more days, or leave it empty for no limit.")
        yield FoundFault(Fault.NO_DAYS_AHEAD, text, service)
    else:
        text = _("Its minimum notice is longer than how far ahead it can be booked. Make it shorter.")
        yield FoundFault(Fault.NOTICE_TOO_LONG, text, service)


def _verdict(case: _Case, accepts: Callable[[Calendar], bool], now: datetime) -> Verdict:
    can = case.first is not None
    problems = [*_of_service(case), *_of_schedules(case), *_doubts(case, accepts)]
    zones = {each.row.schedule: each.offering.zone for each in case.calendars if each.offering is not None}
    zone = zones[case.first.schedules[0]] if case.first else next(iter(zones.values()), None) or clinic_zone()
    return Verdict(
        case.service,
        as_datetime(case.first.start).astimezone(zone) if case.first else None,
        zone,
        tuple(replace(each, is_warning=can or each.is_warning) for each in problems),
    )


def _of_service(case: _Case) -> Iterator[BookingProblem]:
    service = case.service
    if not service.active:
        text = _("The service is inactive. Make it active to offer it.")
        yield BookingProblem(Fault.SERVICE_INACTIVE, text, service, is_warning=False)
    if not case.calendars:
        text = _("No schedule offers it. Add it to the services of a schedule.")
        yield BookingProblem(Fault.NOT_OFFERED, text, None, is_warning=False)
    else:
        yield from (BookingProblem(each.fault, each.text, each.mend, is_warning=False) for each in _missing_kinds(case))
    yield from (BookingProblem(each.fault, each.text, each.mend, is_warning=False) for each in case.faults.get(0, ()))


def _missing_kinds(case: _Case) -> Iterator[FoundFault]:
    """Kinds of schedule that the service requires but that are missing, everywhere or at one of its sites."""
    names = {
        "Practitioner": _("a practitioner"),
        "Location": _("a room"),
        "Device": _("a device"),
    }
    offerings = [each.offering for each in case.calendars if each.offering is not None]
    given = {kind: [each for each in case.calendars if _is_of(each, kind)] for kind in case.service.requires}
    for kind, calendars in given.items():
        if not calendars:
            text = _(
                "A visit also needs %(kind)s, but no schedule of one offers it. Add the service to one, or change what"
                " the service requires."
            )
            yield FoundFault(Fault.MISSING_KIND, text % {"kind": names[kind]}, case.service)
    if not all(given.values()) or len(case.service.requires) < 2:
        return
    sites = {each.site: each.site_name for each in offerings if each.site is not None}
    for site, name in sites.items():
        nearby = [each for each in offerings if each.site in (site, None)]
        for kind in case.service.requires:
            if not any(is_kind(each, kind) for each in nearby):
                text = _("Nothing can be booked at %(site)s: %(kind)s that offers it is missing there. Add a schedule.")
                yield FoundFault(Fault.MISSING_AT_SITE, text % {"site": name, "kind": names[kind]}, None)


def _is_of(calendar: Calendar, kind: str) -> bool:
    actor = calendar.row.actor.partition("/")[0]
    return actor == kind or (kind == "Practitioner" and actor == "PractitionerRole")


def _of_schedules(case: _Case) -> Iterator[BookingProblem]:
    """The problems of schedules; a fault that several schedules share is listed once."""
    together: dict[tuple[str, Resource], list[Calendar]] = {}
    kinds: dict[str, Fault] = {}
    for calendar in case.calendars:
        for found in case.faults.get(calendar.row.schedule, ()):
            mend = found.mend or (calendar.schedule if calendar.has_own(found.fault) else case.service)
            together.setdefault((found.text, mend), []).append(calendar)
            kinds[found.text] = found.fault
    for (problem, mend), calendars in together.items():
        names = ", ".join(dict.fromkeys(each.name for each in calendars))
        is_general = mend == case.service and len(calendars) == len(case.calendars)
        text = problem if is_general else _("%(calendar)s: %(problem)s") % {"calendar": names, "problem": problem}
        schedules = frozenset(each.row.schedule for each in calendars)
        yield BookingProblem(kinds[problem], text, mend, kinds[problem].is_doubt, schedules)


def _doubts(case: _Case, accepts: Callable[[Calendar], bool]) -> Iterator[BookingProblem]:
    service = case.service
    doubt = partial(BookingProblem, is_warning=True)
    if service.requires_questionnaires:
        forms = [each for each in service.questionnaires.all() if each.deleted_at is None]
        if not forms:
            text = _("Its questions must be answered, but it has none. Choose a questionnaire.")
            yield doubt(Fault.QUESTIONS_NOT_ASKED, text, service)
        for form in forms:
            if form.status != Questionnaire.Status.ACTIVE:
                text = _(
                    "\u201c%(form)s\u201d must be answered, but is not asked: it is not active. Change its status."
                )
                yield doubt(Fault.QUESTIONS_NOT_ASKED, text % {"form": form}, form)
    if service.on_request and case.usable and not any(map(accepts, case.usable)):
        text = _(
            "It is booked on request, but only administrators can accept requests: none of its practitioners can sign"
            " in, and none of its sites has a front desk. Choose a user for one of them."
        )
        yield doubt(Fault.NOBODY_ACCEPTS, text, service)
    sites: dict[int, Location] = {}
    for calendar in case.usable:
        schedule = calendar.schedule
        named = partial("{}: {}".format, calendar.name)
        if service.telehealth:
            if _is_of(calendar, "Practitioner") and not schedule.meeting_url:
                text = _("It is by video, but there is no video room. Enter its address.")
                yield doubt(Fault.NO_ROOM_LINK, named(text), schedule, schedules=frozenset({schedule.pk}))
        elif schedule.site is None:
            text = _("It has no site: patients are not told where to go. Choose one.")
            yield doubt(Fault.NO_SITE, named(text), schedule, schedules=frozenset({schedule.pk}))
        else:
            sites[schedule.site.pk] = schedule.site
    for site in sites.values():
        for found in problems_of_place(site):
            yield doubt(found.fault, f"{site}: {found.text}", site)


def _who_accepts(cases: Iterable[_Case]) -> Callable[[Calendar], bool]:
    """A predicate: True if somebody besides administrators can accept a request on a calendar. One statement."""
    desks = set(User.objects.filter(is_active=True).values_list("desk_locations", flat=True))

    def accepts(calendar: Calendar) -> bool:
        person = calendar.schedule.bookable.practitioner
        return bool(person and person.user_id) or (calendar.row.site is not None and calendar.row.site in desks)

    return accepts
