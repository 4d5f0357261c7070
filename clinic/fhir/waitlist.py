"""Preferences of an entry of the waiting list: an Appointment with the status `waitlist` and without a time.

FHIR has elements for some of them: participants who are tentative are the practitioners and places that the patient
would like, and `requestedPeriod` says from when until when a time is wanted. The booked visit that would be moved is
R5's `replaces`. The rest is an extension of ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clinic.fhir.codes import REPLACES, WAITLIST_PREFERENCES
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.fhir.references import local_reference
from clinic.message_kinds import Medium
from clinic.models import WEEKDAYS, Appointment
from clinic.time_text import PARTS_OF_DAY

MEDIA = (Medium.EMAIL.value, Medium.SMS.value)
MOST_NOTICE = 30 * 24  # hours
LISTS = {"weekday": WEEKDAYS, "partOfDay": PARTS_OF_DAY, "medium": MEDIA}
OF_PLACES_AND_PEOPLE = ("Practitioner/", "PractitionerRole/", "Location/")
OURS = (REPLACES, WAITLIST_PREFERENCES)


@dataclass(frozen=True, kw_only=True)
class WaitlistPreferences:
    """The times that somebody on the waiting list would take, and the ways of telling them. Empty means any.

    `actors` are references of practitioners and sites, with their names. Local days and times are those of the visit's
    place. `notice` is the time that the patient needs between the offer and the visit. `replaces` is the reference of
    the booked visit that moves to the time.
    """

    actors: tuple[tuple[str, str], ...] = ()
    weekdays: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    notice: timedelta = timedelta(0)
    media: frozenset[str] = frozenset()
    not_before: datetime | None = None
    until: datetime | None = None
    replaces: str = ""

    @property
    def practitioners(self) -> frozenset[str]:
        return frozenset(reference for reference, _ in self.actors if reference.startswith("Practitioner"))

    @property
    def sites(self) -> frozenset[str]:
        return frozenset(reference for reference, _ in self.actors if reference.startswith("Location/"))


def preferences_of(entry: Appointment) -> WaitlistPreferences:
    """Return the preferences of an entry."""
    values = _values(entry.extra.get("extension", ()))
    hours = next(iter(values["noticeHours"]), 0)
    return WaitlistPreferences(
        actors=tuple(_actors(entry.participant)),
        weekdays=frozenset(values["weekday"]),
        parts=frozenset(values["partOfDay"]),
        notice=timedelta(hours=hours),
        media=frozenset(values["medium"]),
        not_before=entry.requested_start,
        until=entry.requested_end,
        replaces=replaced_visit(entry),
    )


def replaced_visit(entry: Appointment) -> str:
    """Return the reference of the booked visit that would move to an offered time; empty without one."""
    named = (each for each in entry.extra.get("extension", ()) if each.get("url") == REPLACES)
    references = (each.get("valueReference", {}).get("reference", "") for each in named)
    return next((local_reference(reference) for reference in references if reference), "")


def with_preferences(extra: Json, preferences: WaitlistPreferences) -> Json:
    """Return an entry's other elements with these preferences, as far as they are extensions."""
    others = [each for each in extra.get("extension", ()) if each.get("url") not in OURS]
    parts: list[Json] = [{"url": "weekday", "valueCode": day} for day in WEEKDAYS if day in preferences.weekdays]
    parts += [{"url": "partOfDay", "valueCode": part} for part in PARTS_OF_DAY if part in preferences.parts]
    parts += [{"url": "medium", "valueCode": medium} for medium in MEDIA if medium in preferences.media]
    if hours := int(preferences.notice.total_seconds() // 3600):
        parts.append({"url": "noticeHours", "valueUnsignedInt": hours})
    own: list[Json] = [{"url": WAITLIST_PREFERENCES, "extension": parts}] if parts else []
    if preferences.replaces:
        own.append({"url": REPLACES, "valueReference": {"reference": preferences.replaces}})
    kept = {name: value for name, value in extra.items() if name not in ("extension", "requestedPeriod")}
    return {**kept, "extension": [*others, *own]} if others or own else kept


def check_preferences(extensions: Iterable[Json]) -> None:
    """Raise InvalidElement for a preference that has an unknown value."""
    for n, extension in enumerate(extensions):
        if extension.get("url") != WAITLIST_PREFERENCES:
            continue
        for m, part in enumerate(extension.get("extension", ())):
            if not _is_known(part.get("url"), part):
                text = f"{part.get('url')} is not a preference of the waiting list, or has an unknown value."
                raise InvalidElement(text, "value", f"[{n}].extension[{m}]")


def _is_known(name: Any, part: Json) -> bool:
    if name == "noticeHours":
        return part.get("valueUnsignedInt") in range(MOST_NOTICE + 1)
    return part.get("valueCode") in LISTS.get(name, ())


def _values(extensions: Iterable[Json]) -> dict[str, list[Any]]:
    """Return the known values of the extension of preferences, by their name."""
    found: dict[str, list[Any]] = {name: [] for name in (*LISTS, "noticeHours")}
    for extension in extensions:
        if extension.get("url") == WAITLIST_PREFERENCES:
            for part in extension.get("extension", ()):
                if _is_known(part.get("url"), part):
                    found[part["url"]].append(part.get("valueCode", part.get("valueUnsignedInt")))
    return found


def _actors(participants: Iterable[Json]) -> Iterable[tuple[str, str]]:
    for participant in participants:
        actor = participant.get("actor", {})
        if str(actor.get("reference", "")).startswith(OF_PLACES_AND_PEOPLE):
            yield actor["reference"], actor.get("display", "")
