"""Declarations that map one column to one FHIR element, for reading and for writing.

An element is stored in its column alone if the column can reproduce it. If the column keeps less than was sent (a
partial date, an hour written `1 h`, a reference with a version), the element as sent also stays in `extra`. It is
returned as long as it still means the column's value; after a change of the column, the column's value is returned.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, ClassVar, Protocol

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db.models import Choices

from clinic import money
from clinic.exact_json import is_same
from clinic.fhir.datatypes import (
    Json,
    instant,
    minutes,
    read_date_time,
    read_first_day,
    read_instant,
    read_last_day,
    read_money,
    read_notice,
    read_zone,
    write_money,
)
from clinic.fhir.issues import InvalidElement
from clinic.fhir.paths import MISSING, Path
from clinic.fhir.readings import Reading
from clinic.fhir.references import local_reference
from clinic.models.base import MOST_VISITS

validate_web = URLValidator(schemes=["https", "http"])


@dataclass(frozen=True)
class Conversion:
    """The conversion of a JSON value (None if it is absent) to a column's value, and back."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = lambda value: value or None


def text(length: int | None = None) -> Conversion:
    """Return the conversion of a string, of at most `length` characters."""

    def read(value: str | None) -> str:
        if length and value and len(value) > length:
            raise InvalidElement(f"Longer than {length} characters.", "too-long")
        return value or ""

    return Conversion(read)


def words(length: int) -> Conversion:
    """Return the conversion of a list of strings to one column, separated by spaces."""
    joined = text(length)
    return Conversion(
        lambda value: joined.read(" ".join(word for word in value or () if word)), lambda value: value.split() or None
    )


def lines(length: int) -> Conversion:
    """Return the conversion of a list of strings to one column, separated by commas."""
    joined = text(length)
    return Conversion(lambda value: joined.read(", ".join(value or ())), lambda value: [value] if value else None)


def flag(*, default: bool) -> Conversion:
    """Return the conversion of a boolean, which is `default` if it is absent."""
    return Conversion(
        lambda value: default if value is None else value, lambda value: value if default else value or None
    )


def code(codes: type[Choices], default: str = "") -> Conversion:
    """Return the conversion of a code, which is one of `codes`, or `default` if it is absent."""
    values = codes.values  # Django makes this list anew each time that it is asked for it

    def read(value: str | None) -> str:
        if value is not None and value not in values:
            raise InvalidElement(f"{value!r} is not one of {', '.join(values)}.", "code-invalid")
        return value or default

    return Conversion(read)


def _read_date(value: str | None) -> date | None:
    """Return the date, or None for a partial one, since a month must not be stored as its first day."""
    return date.fromisoformat(value) if value and len(value) == 10 else None


def _read_email(value: str | None) -> str:
    try:
        validate_email(value)
    except ValidationError:
        return ""
    return value if value and len(value) <= 254 else ""


def _read_web(value: str | None) -> str:
    """Return a web address. Raises InvalidElement for any other scheme, since pages show it as a link."""
    try:
        if value:
            validate_web(value)
    except ValidationError:
        raise InvalidElement(f"{value!r} is not a web address such as https://meet.example/room.", "value") from None
    return str(text(500).read(value))


def _read_days(value: int | None) -> int | None:
    if value is not None and value > 3650:
        raise InvalidElement("A booking horizon is 3650 days at most.")
    return value


def _read_visits(value: int | None) -> int | None:
    if value is not None and value > MOST_VISITS:
        raise InvalidElement(f"A limit is {MOST_VISITS} visits at most.")
    return value


def _write_notice(value: timedelta) -> Json | None:
    return minutes(value // timedelta(minutes=1)) if value else None


def _write_money(amount: int | None) -> Json | None:
    return None if amount is None else write_money(amount, money.clinic_currency())


LIST = Conversion(lambda value: value or [])
CONCEPT = Conversion(lambda value: value)
DATE = Conversion(_read_date, lambda value: value and value.isoformat())
EMAIL = Conversion(_read_email)
ZONE = Conversion(lambda value: read_zone(value) if value else "")
MONEY = Conversion(lambda value: read_money(value, money.clinic_currency()) if value else None, _write_money)
NOTICE = Conversion(lambda value: read_notice(value) if value else timedelta(0), _write_notice)
INSTANT = Conversion(lambda value: read_instant(value) if value else None)
MOMENT = Conversion(lambda value: read_date_time(value) if value else None, lambda value: value and instant(value))
UNTIL = Conversion(lambda value: read_date_time(value, end=True) if value else None, MOMENT.write)
FIRST_DAY = Conversion(lambda value: read_first_day(value) if value else None, DATE.write)
LAST_DAY = Conversion(lambda value: read_last_day(value) if value else None, DATE.write)
WEB = Conversion(_read_web)
VISITS = Conversion(_read_visits, lambda value: value)
DAYS = Conversion(_read_days, lambda value: value)


class ResourcePart(Protocol):
    """A part of a resource that is read and written together, such as one element and its column."""

    def take(self, reading: Reading) -> None:
        """Read the part into the draft, and remove from the resource what the columns can reproduce."""

    def give(self, row: Any, resource: Json) -> None:
        """Write the part into the resource, which already holds the elements in `extra`."""


@dataclass(frozen=True)
class Element:
    """One column, and the path of its value in the resource.

    `beside` are elements that are written next to it unless they are there. A `required` value must be present, even
    where FHIR accepts a data-absent-reason instead.
    """

    path: Path
    column: str
    kind: Conversion
    beside: Mapping[str, str] = field(default_factory=dict)
    required: bool = False

    def take(self, reading: Reading) -> None:
        sent = self._sent(reading.resource)
        try:
            value = self.read(sent)
        except InvalidElement as error:
            reading.refuse(error.issue(f"{reading.type}.{self.path}"))
            return
        self.keep(value, reading)
        self._leave_what_is_lost(value, reading.resource)

    def give(self, row: Any, resource: Json) -> None:
        value = self.value(row)
        sent = self.path.get(resource)
        if sent is not MISSING and self._means(sent) == value:
            return
        written = self.write(value, None if sent is MISSING else sent)
        if written is None:
            self.path.remove(resource)
        else:
            self._put(resource, written)

    def read(self, sent: Any) -> Any:
        return self.kind.read(sent)

    def write(self, value: Any, sent: Any) -> Any:
        return self.kind.write(value)

    def value(self, row: Any) -> Any:
        return getattr(row, self.column)

    def keep(self, value: Any, reading: Reading) -> None:
        if self.required and not value:
            reading.require(f"{reading.type}.{self.path}")
        reading.draft.fields[self.column] = value

    def _sent(self, resource: Json) -> Any:
        sent = self.path.get(resource)
        return None if sent is MISSING else sent

    def _means(self, sent: Any) -> Any:
        try:
            return self.read(sent)
        except InvalidElement:
            return MISSING

    def _put(self, resource: Json, value: Any) -> None:
        self.path.put(resource, value)
        if self.beside:
            *steps, _ = self.path.steps
            parent = Path(*steps).get(resource)  # type: ignore[arg-type]
            parent.update({name: default for name, default in self.beside.items() if name not in parent})

    def _leave_what_is_lost(self, value: Any, resource: Json) -> None:
        root = self.path.root
        sent = deepcopy(resource.get(root))
        self.path.remove(resource)
        bare = deepcopy(resource.get(root))
        written = self.write(value, None)
        if written is not None:
            self._put(resource, written)
        given_back = is_same(resource.get(root), sent)
        resource[root] = bare if given_back else sent
        if given_back and bare is None:
            del resource[root]


@dataclass(frozen=True)
class NormalisedElement(Element):
    """An element that is stored in its column alone, even if it is returned in another form, such as in UTC."""

    def _leave_what_is_lost(self, value: Any, resource: Json) -> None:
        self.path.remove(resource)


@dataclass(frozen=True)
class ReferenceElement(Element):
    """A reference to one other row. Contained and logical references stay in `extra` as they were sent."""

    types: tuple[str, ...] = ()
    kind: Conversion = field(
        default=Conversion(lambda sent: local_reference(sent) if sent and sent[0] != "#" else None)
    )

    def value(self, row: Any) -> str | None:
        target = getattr(row, self.column)
        return target.reference if target else None

    def keep(self, value: Any, reading: Reading) -> None:
        path = f"{reading.type}.{self.path}"
        sent = self._sent(reading.resource)
        if value is not None:
            reading.draft.fields[f"{self.column}_id"] = reading.find(sent, *self.types, path=path)
        elif self.required:
            reading.require(path)
        else:
            reading.draft.fields[f"{self.column}_id"] = None


@dataclass(frozen=True)
class ReferenceListElement(Element):
    """An unordered list of references to other rows. References that remain keep the elements sent with them."""

    types: tuple[str, ...] = ()
    kind: Conversion = field(default=LIST)
    inner: ClassVar[str] = ""

    def read(self, sent: Any) -> list[str]:
        return sorted({local_reference(text) for _, text in self.references(sent)})

    def write(self, value: Iterable[str], sent: Any) -> Any:
        """Return the entries of `sent` whose references remain, and then an entry for each new reference."""
        references = list(value)
        in_sent = {n: local_reference(text) for n, text in self.references(sent)}
        kept = [entry for n, entry in enumerate(sent or ()) if n not in in_sent or in_sent[n] in references]
        new = [self.entry(reference) for reference in references if reference not in in_sent.values()]
        return [*kept, *new] or None

    def value(self, row: Any) -> list[str]:
        return sorted(target.reference for target in getattr(row, self.column).all())

    def keep(self, value: list[str], reading: Reading) -> None:
        sent = self._sent(reading.resource)
        at = f"{reading.type}.{self.path}"
        found = [(text, f"{at}[{n}]{self.inner}.reference") for n, text in self.references(sent)]
        reading.draft.many[self.column] = reading.find_all(found, *self.types)

    def references(self, sent: Any) -> Iterator[tuple[int, str]]:
        """Yield each reference and its position in the list."""
        yield from ((n, entry["reference"]) for n, entry in enumerate(sent or ()) if "reference" in entry)

    def entry(self, text: str) -> Json:
        return {"reference": text}


@dataclass(frozen=True)
class ReferenceExtensions(ReferenceListElement):
    """A list of references to other rows, written as extensions of one URL."""

    url: str = ""
    inner: ClassVar[str] = ".valueReference"

    def references(self, sent: Any) -> Iterator[tuple[int, str]]:
        for n, extension in enumerate(sent or ()):
            if extension["url"] == self.url and "reference" in extension.get("valueReference", ()):
                yield n, extension["valueReference"]["reference"]

    def entry(self, text: str) -> Json:
        return {"url": self.url, "valueReference": {"reference": text}}


@dataclass(frozen=True)
class CodeExtensions(Element):
    """A list of codes, written as extensions of one URL."""

    url: str = ""
    codes: type[Choices] = Choices

    def read(self, sent: Any) -> list[str]:
        conversion = code(self.codes)
        own = (extension for extension in sent or () if extension["url"] == self.url)
        return [conversion.read(extension["valueCode"]) for extension in own if "valueCode" in extension]

    def write(self, value: Iterable[str], sent: Any) -> Any:
        others = [extension for extension in sent or () if extension["url"] != self.url]
        return [*others, *({"url": self.url, "valueCode": code} for code in value)] or None


@dataclass(frozen=True)
class ConceptExtensions(Element):
    """A list of values, written as extensions of one URL with a CodeableConcept each.

    `codings` are the system and code of each value. Concepts of other systems stay in `extra` as they were sent.
    """

    url: str = ""
    codings: Mapping[Any, tuple[str, str]] = field(default_factory=dict)

    def read(self, sent: Any) -> list[str]:
        known = {coding for extension in sent or () for coding in self._codings(extension)}
        return [str(value) for value, coding in self.codings.items() if coding in known]

    def write(self, value: Iterable[str], sent: Any) -> Any:
        own = set(self.codings.values())
        others = [extension for extension in sent or () if own.isdisjoint(self._codings(extension))]
        return [*others, *map(self._extension, value)] or None

    def _codings(self, extension: Json) -> set[tuple[str, str]]:
        concept = extension.get("valueCodeableConcept", {}) if extension["url"] == self.url else {}
        return {(coding.get("system", ""), coding.get("code", "")) for coding in concept.get("coding", ())}

    def _extension(self, value: str) -> Json:
        system, code = self.codings[value]
        return {"url": self.url, "valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}


@dataclass(frozen=True)
class TextExtension(Element):
    """A text, written as an extension with a CodeableConcept that has a text and no coding."""

    url: str = ""
    length: int = 500

    def read(self, sent: Any) -> str:
        texts = (extension["valueCodeableConcept"]["text"] for extension in sent or () if self._is_own(extension))
        return str(text(self.length).read("; ".join(texts)))

    def write(self, value: str, sent: Any) -> Any:
        others = [extension for extension in sent or () if not self._is_own(extension)]
        own = [{"url": self.url, "valueCodeableConcept": {"text": value}}] if value else []
        return [*others, *own] or None

    def _is_own(self, extension: Json) -> bool:
        concept = extension.get("valueCodeableConcept", {})
        return extension["url"] == self.url and "text" in concept and "coding" not in concept
