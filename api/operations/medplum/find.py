"""$find as Medplum has it: https://www.medplum.com/docs/scheduling/appointment-find

The times at which a service can be booked on all of the named schedules. As in any FHIR search, repeated parameters
mean all of them, and a comma means any of them: `schedule=Schedule/chen,Schedule/okafor&schedule=Schedule/room-1`.
Without a schedule every arrangement of the service counts, limited to a practitioner or a location if one is named.

With `occurrence-count` it finds series: the window is for the first visit, `week-interval` is the number of weeks from
one visit to the next, and with `conflicts=include` series are found too in which some later visits are in conflict.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from api.operations.medplum.proposals import proposals
from api.operations.medplum.series import series_proposals
from api.operations.paging import PagedSearch, read_cursor
from api.operations.parameters import Inputs, any_of, date_time, end_date_time, reference_to, refusal, whole_number
from api.operations.write_view import relocated
from api.outcomes import outcome_entry
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.models import Appointment, HealthcareService, Location, Practitioner
from clinic.models.services import FEWEST_VISITS, MOST_VISITS, MOST_WEEKS
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Arrangement, FoundSeries, FoundTime, Offering, SeriesQuery, TimeQuery, Way
from scheduling.availability.series import FIRST_WITHIN, LONGEST_SERIES, MOST_SERIES_SCHEDULES
from scheduling.errors import Invalid, Issue, NotFound, RuleBroken, SchedulingError, TooCostly

PARAMETERS = (
    "start",
    "end",
    "service-type-reference",
    "schedule",
    "practitioner",
    "location-reference",
    "ignore-appointment",
    "occurrence-count",
    "week-interval",
    "conflicts",
    "_count",
    "_page",
)
SERVICE = "Parameters.service-type-reference"
COUNT, MOST = 20, 1000
MOST_SCHEDULES = 500
NOTHING_FREE = Issue("informational", "No time is free in this window.")
NO_SERIES = Issue("informational", "No series begins in this window whose visits can all be booked.")
INCLUDE = "include"


@dataclass(frozen=True, kw_only=True)
class ScheduleSearch(PagedSearch):
    """A search for a service. `schedules` are lists of ids: one schedule of each list is needed."""

    service: str
    schedules: tuple[tuple[str, ...], ...]
    practitioner: str | None
    location: str | None
    ignored: str | None
    occurrences: int | None
    weeks: int | None
    with_conflicts: bool

    @property
    def most_conflicts(self) -> int:
        """The most visits of a series that may be in conflict: a third of them."""
        return max(1, (self.occurrences or 0) // 3) if self.with_conflicts else 0

    def query(self) -> Iterator[tuple[str, str]]:
        """The parameters of the search for the links of its pages."""
        yield "service-type-reference", f"HealthcareService/{self.service}"
        for pool in self.schedules:
            yield "schedule", ",".join(f"Schedule/{fhir_id}" for fhir_id in pool)
        for name, kind, fhir_id in (
            ("practitioner", "Practitioner", self.practitioner),
            ("location-reference", "Location", self.location),
            ("ignore-appointment", "Appointment", self.ignored),
        ):
            if fhir_id:
                yield name, f"{kind}/{fhir_id}"
        if self.occurrences:
            yield "occurrence-count", str(self.occurrences)
        if self.weeks:
            yield "week-interval", str(self.weeks)
        if self.with_conflicts:
            yield "conflicts", INCLUDE


def find(inputs: Inputs, caller: Caller, base: str, now: datetime) -> Json:
    """Return a searchset of proposed Appointments, in order of time."""
    inputs.only(PARAMETERS)
    search = _read(inputs, base, now)
    service = _service(search, caller)
    if search.occurrences:
        return _series_searchset(search, service, _find_series(search, service, caller, now), base)
    found = _find(search, service, caller, now)
    return _searchset(search, service, found, base)


def _read(inputs: Inputs, base: str, now: datetime) -> ScheduleSearch:
    schedule = any_of(reference_to("Schedule", base, "schedule reference"))
    start = inputs.one("start", date_time) or now.replace(microsecond=0)
    occurrences = inputs.one("occurrence-count", whole_number("occurrence-count", FEWEST_VISITS, MOST_VISITS))
    longest = timedelta(days=7) if inputs.has("occurrence-count") else availability.MAX_WINDOW
    search = ScheduleSearch(
        service=inputs.required(
            "service-type-reference", reference_to("HealthcareService", base, "service-type-reference")
        ),
        schedules=tuple(dict.fromkeys(inputs.every("schedule", schedule))),
        start=start,
        end=inputs.one("end", end_date_time) or start + longest,
        practitioner=inputs.one("practitioner", reference_to("Practitioner", base, "practitioner reference")),
        location=inputs.one("location-reference", reference_to("Location", base, "location reference")),
        ignored=inputs.one("ignore-appointment", reference_to("Appointment", base, "ignore-appointment reference")),
        occurrences=occurrences,
        weeks=inputs.one("week-interval", whole_number("week-interval", 1, MOST_WEEKS)),
        with_conflicts=inputs.one("conflicts", _include) is not None,
        count=inputs.one("_count", whole_number("_count", 1, MOST)) or COUNT,
        cursor=inputs.one("_page", partial(read_cursor, counted=False)),
    )
    _check(search, inputs)
    inputs.finish()
    return search


def _check(search: ScheduleSearch, inputs: Inputs) -> None:
    """Add the issues of parameters that contradict each other."""
    if search.start >= search.end:
        inputs.refuse("Invalid search time range", "end")
    elif not inputs.has("occurrence-count") and search.end - search.start > availability.MAX_WINDOW:
        inputs.refuse("Search range cannot exceed 31 days", "end")
    _check_series(search, inputs)
    if sum(len(pool or ()) for pool in search.schedules) > MOST_SCHEDULES:
        inputs.refuse(f"Too many schedules: {MOST_SCHEDULES} at most", "schedule")
    for name in ("practitioner", "location-reference"):
        if search.schedules and inputs.has(name):
            inputs.refuse(f"{name} is only for searches without a schedule", name)


def _check_series(search: ScheduleSearch, inputs: Inputs) -> None:
    """Add the issues of the parameters of a series."""
    if not inputs.has("occurrence-count"):
        for name in ("week-interval", "conflicts"):
            if inputs.has(name):
                inputs.refuse(f"{name} is only for searches with occurrence-count", name)
        return
    if search.end - search.start > FIRST_WITHIN:
        inputs.refuse("Search range cannot exceed 7 days", "end")
    if inputs.has("ignore-appointment"):
        inputs.refuse("ignore-appointment cannot be combined with occurrence-count", "ignore-appointment")
    if ((search.occurrences or 0) - 1) * (search.weeks or 1) * timedelta(weeks=1) > LONGEST_SERIES:
        inputs.refuse(f"A series lasts {LONGEST_SERIES.days // 7} weeks at most", "week-interval")


def _include(value: object) -> str:
    if value != INCLUDE:
        raise InvalidElement(f"conflicts can only be '{INCLUDE}'")
    return INCLUDE


def _service(search: ScheduleSearch, caller: Caller) -> HealthcareService:
    service = availability.service_of(search.service, stamp=caller.offerings_stamp)
    if service is None:
        raise NotFound("HealthcareService not found", expression=SERVICE)
    if not service.active:
        raise RuleBroken("HealthcareService is inactive", expression=SERVICE)
    return service


def _find(search: ScheduleSearch, service: HealthcareService, caller: Caller, now: datetime) -> list[FoundTime]:
    """Return the times of a page, and one more if there are more."""
    query, skip = _query(search, service, caller)
    return availability.find_times(query, now=now)[skip:]


def _find_series(
    search: ScheduleSearch, service: HealthcareService, caller: Caller, now: datetime
) -> list[FoundSeries]:
    """Return the series of a page, and one more if there are more."""
    assert search.occurrences is not None
    first, skip = _query(search, service, caller)
    _check_schedules(search, first.ways)
    query = SeriesQuery(
        first=first, count=search.occurrences, weeks=search.weeks or 1, most_conflicts=search.most_conflicts
    )
    return availability.find_series(query, now=now)[skip:]


def _query(search: ScheduleSearch, service: HealthcareService, caller: Caller) -> tuple[TimeQuery, int]:
    """Return the query for a page, and how many of its times earlier pages have sent."""
    start, skip = search.beginning
    arrangements = (_of_schedules if search.schedules else _of_service)(search, service, caller)
    query = TimeQuery(
        ways=availability.ways_of(service, arrangements),
        start=start,
        end=search.end,
        limit=skip + search.count + 1,
        without=_ignored(search, caller),
    )
    return query, skip


def _check_schedules(search: ScheduleSearch, ways: Sequence[Way]) -> None:
    """Raise for schedules that cannot take a series together, or for so many that a year of each costs too much."""
    if len({each.schedule for way in ways for pool in way.pools for each in pool}) > MOST_SERIES_SCHEDULES:
        text = f"Too many schedules for a series: {MOST_SERIES_SCHEDULES} at most. Name a schedule or a practitioner."
        raise TooCostly(text, expression="Parameters.schedule")
    zones = {offering.zone for way in ways for pool in way.pools for offering in pool}
    if search.schedules and len(zones) > 1:
        text = "All schedules must share one timezone to find a recurring series"
        raise Invalid(text, expression="Parameters.schedule")


def _of_schedules(search: ScheduleSearch, service: HealthcareService, caller: Caller) -> tuple[Arrangement, ...]:
    try:
        named = list(dict.fromkeys(fhir_id for pool in search.schedules for fhir_id in pool))
        is_known = partial(access.may_know_calendar, caller)
        offerings = availability.offerings_of(service, named, is_known=is_known, stamp=caller.offerings_stamp)
        known = {offering.fhir_id: offering for offering in offerings}
        pools = tuple(tuple(known[fhir_id] for fhir_id in pool) for pool in search.schedules)
        alone = [pool[0] for pool in pools if len(pool) == 1]
        availability.require_complete(service, [pool[0] for pool in pools])
        availability.require_combinable(alone)
        availability.require_common_grid(alone)
    except SchedulingError as error:
        raise refusal(relocated(error.issues, _places(search))) from error
    if issues := [issue for n, pool in enumerate(pools) for issue in _out_of_horizon(search, pool, n)]:
        raise refusal(issues)
    return (pools,)


def _places(search: ScheduleSearch) -> dict[str, str]:
    places = {"": "Parameters.schedule"}
    for n, pool in reversed(list(enumerate(search.schedules))):
        places |= {f"Schedule/{fhir_id}": f"Parameters.schedule[{n}]" for fhir_id in pool}
    return places


def _out_of_horizon(search: ScheduleSearch, pool: Sequence[Offering], n: int) -> Iterator[Issue]:
    """Yield an issue if no schedule of a pool has its planning horizon in the window."""
    planned = [offering.planned for offering in pool if offering.planned]
    if len(planned) < len(pool):
        return
    expression = f"Parameters.schedule[{n}]"
    if all(search.end.timestamp() <= start for start, _ in planned):
        yield Issue("business-rule", "Search range ends before schedule planning horizon starts", expression)
    elif all(search.start.timestamp() >= end for _, end in planned):
        yield Issue("business-rule", "Search range starts after schedule planning horizon ends", expression)


def _of_service(search: ScheduleSearch, service: HealthcareService, caller: Caller) -> tuple[Arrangement, ...]:
    practitioner = search.practitioner and _key(Practitioner, search.practitioner, "practitioner")
    site = search.location and _key(Location, search.location, "location-reference")
    stamp = caller.offerings_stamp
    return availability.arrangements_for(service, practitioner=practitioner or None, site=site or None, stamp=stamp)


def _key(model: type[Practitioner] | type[Location], fhir_id: str, name: str) -> int:
    keys = model.objects.filter(fhir_id=fhir_id, deleted_at=None).values_list("pk", flat=True)
    found = keys.first()
    if found is None:
        raise NotFound(f"There is no {model.RESOURCE_TYPE}/{fhir_id}", expression=f"Parameters.{name}")
    return found


def _ignored(search: ScheduleSearch, caller: Caller) -> Appointment | None:
    if search.ignored is None:
        return None
    found = access.visible(Appointment, caller).filter(fhir_id=search.ignored, deleted_at=None).first()
    if found is None:
        raise NotFound("Appointment not found", expression="Parameters.ignore-appointment")
    return found


def _searchset(search: ScheduleSearch, service: HealthcareService, found: list[FoundTime], base: str) -> Json:
    """Return the Bundle of a page.

    It has no total, because the times are not counted; a link says that there are more.
    """
    page = found[: search.count]
    entries = proposals(page, service, (search.start, search.end)) if page else [outcome_entry([NOTHING_FREE])]
    links = search.links(base, list(search.query()), found)
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def _series_searchset(search: ScheduleSearch, service: HealthcareService, found: list[FoundSeries], base: str) -> Json:
    page = found[: search.count]
    window, weeks = (search.start, search.end), search.weeks or 1
    entries = series_proposals(page, service, window, weeks) if page else [outcome_entry([NO_SERIES])]
    links = search.links(base, list(search.query()), found)
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
