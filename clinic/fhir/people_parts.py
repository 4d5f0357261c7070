"""Names, phone numbers, email addresses and languages of people, of which a column holds the current one.

A single plain name or address is stored in its column alone. If there are several, or one with a period or a former
use, all stay in `extra` as they were sent, and the column holds the one that clinic.fhir.contacts chooses. When a page
changes the column, that one is changed in the resource too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from clinic.fhir import codes, contacts
from clinic.fhir.contacts import PersonName
from clinic.fhir.datatypes import Json
from clinic.fhir.elements import Conversion, Element, text
from clinic.fhir.issues import InvalidElement
from clinic.fhir.paths import Path
from clinic.fhir.readings import Reading

PARTS = ("family", "given", "prefix")
LONGEST = {"family": 200, "given": 200, "prefix": 50}


@dataclass(frozen=True)
class PersonNames:
    """The names of a person. `elements` are the parts of a single plain name."""

    elements: tuple[Element, ...]

    def take(self, reading: Reading) -> None:
        names = reading.resource.get("name")
        if _is_plain_name(names):
            for element in self.elements:
                element.take(reading)
            return
        chosen = contacts.name_of(names, reading.refs.now or contacts.LATEST)
        for part in PARTS:
            try:
                reading.draft.fields[part] = text(LONGEST[part]).read(getattr(chosen, part))
            except InvalidElement as error:
                reading.refuse(error.issue(f"{reading.type}.name"))

    def give(self, row: Any, resource: Json) -> None:
        names = resource.get("name")
        current = PersonName(row.family, row.given, row.prefix)
        if names and _has_name(names[0]):
            if current in map(contacts.read_name, names):
                return
            if not _is_plain_name(names):
                _rename(names, current, row.last_updated)
                return
        for element in self.elements:
            element.give(row, resource)


@dataclass(frozen=True)
class ContactPoints:
    """The phone numbers or the email addresses of a person. `element` is a single plain one."""

    element: Element
    systems: tuple[str, ...]
    choose: Callable[[Sequence[Json] | None, datetime], str]

    def take(self, reading: Reading) -> None:
        points = self._own(reading.resource)
        if self._is_plain(points):
            self.element.take(reading)
            return
        value = self.choose(points, reading.refs.now or contacts.LATEST)
        try:
            reading.draft.fields[self.element.column] = self.element.kind.read(value)
        except InvalidElement as error:
            reading.refuse(error.issue(f"{reading.type}.{self.element.path}"))

    def give(self, row: Any, resource: Json) -> None:
        points = self._own(resource)
        value = getattr(row, self.element.column)
        if self._is_plain(points) or not points[0].get("value"):
            self.element.give(row, resource)
        elif value not in {point.get("value") for point in points} and (value or contacts.lasts(points, self.choose)):
            self._change(resource, points, value, row.last_updated)

    def _own(self, resource: Json) -> list[Json]:
        points = resource.get("telecom") or ()
        return [point for point in points if isinstance(point, dict) and point.get("system") in self.systems]

    def _is_plain(self, points: Sequence[Json]) -> bool:
        """True if the column alone can hold them: one at most, of the usual system, without a period or old use."""
        if len(points) != 1:
            return not points or not points[0].get("value")
        only = points[0]
        return only["system"] == self.systems[0] and only.get("use") != "old" and not only.get("period")

    def _change(self, resource: Json, points: list[Json], value: str, now: datetime) -> None:
        chosen = self.choose(points, now)
        if not value:
            for point in points:
                if not _is_former(point):
                    point.pop("value", None)
            return
        lasting = [point for point in points if not _is_former(point)]
        same = (point for point in points if chosen and point.get("value") == chosen)
        current = next(same, next(iter(lasting), None))
        if current is None:
            resource["telecom"].append({"system": self.systems[0], "value": value})
        else:
            current["value"] = value


@dataclass(frozen=True)
class PatientLanguage:
    """A patient's language for messages: the preferred one, else the only one, else the first that is translated."""

    element: Element

    def take(self, reading: Reading) -> None:
        if language := language_of(reading.resource.get("communication")):
            reading.draft.fields[self.element.column] = language
        else:
            self.element.take(reading)

    def give(self, row: Any, resource: Json) -> None:
        only = language_of(resource.get("communication"))
        if not only or row.language != only:
            self.element.give(row, resource)


@dataclass(frozen=True)
class OwnPhoto:
    """The photo that the clinic uploaded, before those that other software sent. It is not written through the API."""

    def take(self, reading: Reading) -> None:
        """Read nothing: what is sent stays as it is."""

    def give(self, row: Any, resource: Json) -> None:
        own = f"{settings.SITE_URL}/photos/"
        others = [photo for photo in resource.get("photo", ()) if not str(photo.get("url", "")).startswith(own)]
        uploaded = [{"contentType": "image/jpeg", "url": f"{settings.SITE_URL}{row.photo_path}"}]
        resource["photo"] = [*(uploaded if row.photo_path else ()), *others]


def read_language(concept: Json | None) -> str:
    """Return the first BCP 47 tag that fits into the column; empty if there is none."""
    codings = (concept or {}).get("coding", ())
    tags = [coding.get("code", "") for coding in codings if coding.get("system") == codes.LANGUAGE]
    return next((tag for tag in tags if len(tag) <= 10), "")


def write_language(tag: str) -> Json | None:
    return {"coding": [{"system": codes.LANGUAGE, "code": tag}]} if tag else None


LANGUAGE = PatientLanguage(
    Element(
        Path("communication", ("preferred", True), "language"), "language", Conversion(read_language, write_language)
    )
)


def language_of(communication: Sequence[Json] | None) -> str:
    """Return the language of a person without a preferred one; empty if one is preferred, or none is known."""
    entries = [entry for entry in communication or () if isinstance(entry, dict)]
    if any(entry.get("preferred") for entry in entries):
        return ""
    tags = [tag for entry in entries if (tag := read_language(entry.get("language")))]
    translated = {code.partition("-")[0] for code, _name in settings.LANGUAGES}
    known = [tag for tag in tags if tag.partition("-")[0].lower() in translated]
    return (tags if len(entries) == 1 else known or [""])[0] if tags else ""


def _is_plain_name(names: Sequence[Json] | None) -> bool:
    """True if the columns alone can hold it: there is one name at most, in parts, without text or period."""
    if not names or not _has_name(names[0]):
        return True
    only = names[0]
    return len(names) == 1 and not (only.get("text") or only.get("period"))


def _has_name(name: Any) -> bool:
    """True if the name has a part or a text. A name whose parts are in columns has none."""
    return contacts.read_name(name) != PersonName() if isinstance(name, dict) else False


def _rename(names: list[Json], new: PersonName, now: datetime) -> None:
    """Replace the current name in the list by a new one."""
    current = contacts.name_of(names, now)
    name = next(name for name in names if contacts.read_name(name) == current)
    name.pop("text", None)
    for part, value in (("family", new.family), ("given", new.given.split()), ("prefix", new.prefix.split())):
        if value:
            name[part] = value
        else:
            name.pop(part, None)


def _is_former(point: Json) -> bool:
    return point.get("use") == "old" or bool(point.get("period"))
