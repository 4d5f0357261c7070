"""The file of Slots, free and taken, made day by day so that it is never whole in memory.

The lines of a day are cached until something changes, and for `PUBLISHED_MAX_AGE` at the longest.
"""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.urls import reverse

from api.operations.ids import free_slot_id
from api.publishing.published import Published
from clinic import exact_json
from clinic.fhir.datatypes import Json
from clinic.local_time import in_zone
from clinic.models import OCCUPYING, Slot
from scheduling import availability
from scheduling.availability import Opening, TimeQuery, as_datetime, by_day
from scheduling.core.hours import local_time
from scheduling.core.intervals import Span

DEEP_LINK = "StructureDefinition/booking-deep-link"
PHONE = "StructureDefinition/booking-phone"


def days(published: Published, *, as_of: datetime) -> Iterator[bytes]:
    """Yield the lines of each day."""
    end = as_of + settings.PUBLISHED_AHEAD
    for number, day in enumerate(by_day(int(as_of.timestamp()), int(end.timestamp()))):
        key = f"published:{published.edition.name}:{number}"
        cached = cache.get(key)
        if cached is None or cached[0] != as_of:
            cached = (as_of, b"".join(_lines(published, day, end, as_of)))
            cache.set(key, cached, settings.PUBLISHED_MAX_AGE.total_seconds())
        yield cached[1]


def _lines(published: Published, day: Span, end: datetime, now: datetime) -> Iterator[bytes]:
    for resource in (*_free(published, day, end, now), *_taken(published, day, now)):
        yield exact_json.dumps(resource, orjson.OPT_APPEND_NEWLINE)


def _free(published: Published, day: Span, end: datetime, now: datetime) -> Iterator[Json]:
    """Yield free Slots. A visit that several rooms can have is one Slot."""
    seen: set[tuple[int, int, int]] = set()
    query = TimeQuery(ways=published.ways, start=now, end=end, windows=lambda first, last: iter([day]))
    found = availability.openings(query, now=now)
    for opening in found:
        key = (opening.offerings[0].schedule, opening.service.pk, opening.start)
        if key not in seen:
            seen.add(key)
            yield _free_slot(published, opening, *key)


def _free_slot(published: Published, opening: Opening, schedule: int, service: int, start: int) -> Json:
    offering, edition = opening.offerings[0], published.edition
    suited = edition.patients(opening.service)
    site = published.sites.get(offering.site or 0)
    phone = (site.phone if site else "") or settings.CLINIC_PHONE
    slot: Json = {
        "resourceType": "Slot",
        "id": free_slot_id(schedule, service, start),
        "extension": [{"url": f"{edition.extensions}/{DEEP_LINK}", "valueUrl": _deep_link(opening)}],
        "serviceType": edition.service_type(opening.service),
        "schedule": {"reference": offering.reference},
        "status": "free",
        "start": local_time(start, offering.zone).isoformat(),
        "end": local_time(opening.end, offering.zone).isoformat(),
    }
    if phone:
        slot["extension"].append({"url": f"{edition.extensions}/{PHONE}", "valueString": phone})
    if suited:
        slot["appointmentType"] = {"coding": [suited]}
    return slot


def _deep_link(opening: Opening) -> str:
    """Return the page for this time; it stays valid with the parameters that a client adds."""
    page = reverse("portal:deep-link", args=[opening.service.fhir_id])
    start = as_datetime(opening.start).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{settings.SITE_URL}{page}?{urlencode({'time': f'{start}~{opening.offerings[0].fhir_id}'}, safe='~:')}"


def _taken(published: Published, day: Span, now: datetime) -> Iterator[Json]:
    """Yield taken Slots, without the patient or the reason."""
    zones = {each.schedule: each.zone for way in published.ways for each in way.choices}
    rows = Slot.objects.filter(
        Q(hold_expires_at=None) | Q(hold_expires_at__gt=now),
        schedule__in=list(zones),
        status__in=OCCUPYING,
        deleted_at=None,
        start__gte=as_datetime(day[0]),
        start__lt=as_datetime(day[1]),
    ).order_by("start", "pk")
    for fhir_id, schedule, status, start, end in rows.values_list("fhir_id", "schedule_id", "status", "start", "end"):
        yield {
            "resourceType": "Slot",
            "id": fhir_id,
            "schedule": {"reference": published.schedules[schedule].reference},
            "status": published.edition.status(status),
            "start": in_zone(start, zones[schedule]).isoformat(),
            "end": in_zone(end, zones[schedule]).isoformat(),
        }
