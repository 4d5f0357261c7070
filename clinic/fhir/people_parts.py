"""Names, addresses and languages of people, of which the columns hold the one that counts.

A single plain one is kept in its column alone. Of several, or where a period or a former use decides, all stay as they
were sent, and the column holds the one that clinic.contacts chooses. A page that writes another one changes that one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from clinic import contacts
from clinic.contacts import PersonName
from clinic.fhir import codes
from clinic.fhir.datatypes import Json
from clinic.fhir.elements import Conversion, Element, text
from clinic.fhir.issues import InvalidElement
from clinic.fhir.paths import Path
from clinic.fhir.readings import Reading

PARTS = ("family", "given", "prefix")
LONGEST = {"family": 200, "given": 200, "prefix": 50}


@dataclass(frozen=True)
class PersonNames:
    """The names of a person; the parts of the first one are `elements`."""

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
        shown = PersonName(row.family, row.given, row.prefix)
        if names and _has_name(names[0]):
            if shown in map(contacts.read_name, names):
                return
            if not _is_plain_name(names):
                _rename(names, shown, row.last_updated)
                return
        for element in self.elements:
            element.give(row, resource)


@dataclass(frozen=True)
class ContactPoints:
    """The addresses of one kind by which somebody is reached; a single plain one is `element`."""

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
        elif value not in {each.get("value") for each in points} and (value or contacts.lasts(points, self.choose)):
            self._change(resource, points, value, row.last_updated)

    def _own(self, resource: Json) -> list[Json]:
        points = resource.get("telecom") or ()
        return [each for each in points if isinstance(each, dict) and each.get("system") in self.systems]

    def _is_plain(self, points: Sequence[Json]) -> bool:
        """True if the column alone tells it: there is one, it counts always, and it has the usual system."""
        if len(points) != 1:
            return not points or not points[0].get("value")
        only = points[0]
        return only["system"] == self.systems[0] and only.get("use") != "old" and not only.get("period")

    def _change(self, resource: Json, points: list[Json], value: str, now: datetime) -> None:
        chosen = self.choose(points, now)
        if not value:
            for each in points:
                if not _is_former(each):
                    each.pop("value", None)
            return
        lasting = [each for each in points if not _is_former(each)]
        point = next((each for each in points if chosen and each.get("value") == chosen), next(iter(lasting), None))
        if point is None:
            resource["telecom"].append({"system": self.systems[0], "value": value})
        else:
            point["value"] = value


@dataclass(frozen=True)
class PatientLanguage:
    """The language to write in: the preferred one, else the only one, else the first that the product speaks."""

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


def read_language(concept: Json | None) -> str:
    """A tag that is too long for the column, or a code of another system, is none to write in."""
    tags = [each.get("code", "") for each in (concept or {}).get("coding", ()) if each.get("system") == codes.LANGUAGE]
    return next((tag for tag in tags if len(tag) <= 10), "")


def write_language(tag: str) -> Json | None:
    return {"coding": [{"system": codes.LANGUAGE, "code": tag}]} if tag else None


LANGUAGE = PatientLanguage(
    Element(
        Path("communication", ("preferred", True), "language"), "language", Conversion(read_language, write_language)
    )
)


def language_of(communication: Sequence[Json] | None) -> str:
    """The language where none is preferred; empty where one is, or where it cannot be told."""
    every = [each for each in communication or () if isinstance(each, dict)]
    if any(each.get("preferred") for each in every):
        return ""
    tags = [tag for each in every if (tag := read_language(each.get("language")))]
    spoken = {code.partition("-")[0] for code, _name in settings.LANGUAGES}
    known = [tag for tag in tags if tag.partition("-")[0].lower() in spoken]
    return (tags if len(every) == 1 else known or [""])[0] if tags else ""


def _is_plain_name(names: Sequence[Json] | None) -> bool:
    """True if the columns alone tell it: there is one name, in parts, and it counts always."""
    if not names or not _has_name(names[0]):
        return True
    only = names[0]
    return len(names) == 1 and not (only.get("text") or only.get("period"))


def _has_name(name: Any) -> bool:
    """True if a name says anything; one whose parts are in columns does not."""
    return contacts.read_name(name) != PersonName() if isinstance(name, dict) else False


def _rename(names: list[Json], shown: PersonName, now: datetime) -> None:
    """Put another name in the place of the one that was shown."""
    current = contacts.name_of(names, now)
    name = next(each for each in names if contacts.read_name(each) == current)
    name.pop("text", None)
    for part, value in (("family", shown.family), ("given", shown.given.split()), ("prefix", shown.prefix.split())):
        if value:
            name[part] = value
        else:
            name.pop(part, None)


def _is_former(point: Json) -> bool:
    return point.get("use") == "old" or bool(point.get("period"))
