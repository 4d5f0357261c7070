"""Free times as agents get them and send them back: a text that names service, start and schedules.

Nothing is stored and nothing has to be believed: booking checks everything again.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from api.agents.answers import FreeTime
from clinic.local_time import in_zone
from clinic.models import HealthcareService, Location, Practitioner
from clinic.translations import text_of
from clinic.visit_place import site_and_town
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Criteria, FoundTime, Offering, TimeQuery
from scheduling.errors import Invalid, NotFound

LONGEST_SEARCH = timedelta(days=31)
TIME = re.compile(
    r"(?P<service>[A-Za-z0-9.-]{1,64})~(?P<start>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(?P<schedules>(~[A-Za-z0-9.-]{1,64}){1,10})"
)


class ChosenTime(NamedTuple):
    """A time that an agent has chosen."""

    service: HealthcareService
    offerings: tuple[Offering, ...]
    start: datetime


def services_of(caller: Caller) -> list[HealthcareService]:
    """Return the active services that the caller could book, by name."""
    access.may_find(caller)
    rows = HealthcareService.objects.filter(active=True, deleted_at=None)
    return [service for service in rows if _is_open(service, caller)]


def find(
    service: HealthcareService,
    start: datetime,
    end: datetime,
    caller: Caller,
    *,
    practitioner: str = "",
    location: str = "",
    limit: int,
    now: datetime,
) -> list[FoundTime]:
    """Return the first free times of a service within a window. Raises Forbidden, Invalid."""
    access.may_find(caller)
    if end <= start:
        raise Invalid("The search ends before it starts.")
    if end - start > LONGEST_SEARCH:
        raise Invalid("Search 31 days at most at once.")
    criteria = Criteria(
        services=(service.pk,),
        practitioners=_keys(Practitioner, practitioner),
        locations=_keys(Location, location),
    )
    ways = availability.ways_for(
        criteria, lambda candidate, offering: access.could_book(caller, candidate, offering.schedule)
    )
    query = TimeQuery(ways=tuple(ways), start=max(start, now), end=end, limit=limit)
    return availability.find_times(query, now=now) if query.start < end else []


def service_named(fhir_id: str) -> HealthcareService:
    """Return the active service with this id. Raises NotFound."""
    service = HealthcareService.objects.filter(fhir_id=fhir_id, active=True, deleted_at=None).first()
    if service is None:
        raise NotFound(f"There is no service {fhir_id!r}. Ask list_services for those that can be booked.")
    return service


def described(service: HealthcareService, found: Iterable[FoundTime]) -> list[FreeTime]:
    """Return found times as an agent reads them. One query, for their sites."""
    found = list(found)
    sites = Location.objects.in_bulk({each.site for time in found for each in time.offerings if each.site})
    return [_described(service, time, sites) for time in found]


def nearest(
    service: HealthcareService, offerings: Iterable[Offering], at: datetime, *, now: datetime
) -> list[FoundTime]:
    """Return the free times on these schedules that are nearest to a time that is not free, in order."""
    week = timedelta(days=7)
    ways = availability.ways_of(service, [tuple((offering,) for offering in offerings)])
    query = TimeQuery(ways=ways, start=max(at - week, now), end=max(at, now) + week)
    found = availability.find_times(query, now=now)
    closest = sorted(found, key=lambda time: abs(time.start - at.timestamp()))[:3]
    return sorted(closest, key=lambda time: time.start)


def read(text: str, caller: Caller) -> ChosenTime:
    """Return the time that an agent sends. Raises Invalid, NotFound, and what the schedules lack."""
    match = TIME.fullmatch(text)
    if match is None:
        raise Invalid("That is no time of find_times. Send one as it was found.")
    service = service_named(match["service"])
    try:
        start = datetime.fromisoformat(match["start"].replace("Z", "+00:00"))
    except ValueError:
        raise Invalid("That is no time of find_times. Send one as it was found.") from None
    schedules = match["schedules"].split("~")[1:]
    offerings = availability.offerings_of(
        service, schedules, is_known=lambda actor: access.may_know_calendar(caller, actor)
    )
    return ChosenTime(service, tuple(offerings), start)


def _described(service: HealthcareService, time: FoundTime, sites: dict[int, Location]) -> FreeTime:
    first = next((each for each in time.offerings if each.actor.startswith("Practitioner")), time.offerings[0])
    site = next((sites[each.site] for each in time.offerings if each.site in sites), None)
    start, end = availability.as_datetime(time.start), availability.as_datetime(time.end)
    return FreeTime(
        time="~".join([service.fhir_id, f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", *_ids(time.offerings)]),
        start=in_zone(start, first.zone).isoformat(),
        end=in_zone(end, first.zone).isoformat(),
        time_zone=first.zone.key,
        service=str(text_of(service, "name")),
        practitioner=first.actor_name,
        place="by video" if service.telehealth else str(site_and_town(site)) if site else "",
    )


def _ids(offerings: Iterable[Offering]) -> list[str]:
    return [offering.fhir_id for offering in offerings]


def _is_open(service: HealthcareService, caller: Caller) -> bool:
    return caller.is_staff or access.could_book(caller, service, 0)


def _keys(model: type[Practitioner] | type[Location], fhir_id: str) -> tuple[int, ...] | None:
    if not fhir_id:
        return None
    return tuple(model.objects.filter(fhir_id=fhir_id, deleted_at=None).values_list("pk", flat=True))
