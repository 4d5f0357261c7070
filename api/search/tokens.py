"""Token parameters: https://hl7.org/fhir/R4/search.html#token"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from django.db.models import Model, Q

from api.search.kinds import Parameter, any_of, nothing
from api.search.places import among, holds, is_there, quoted, tells
from api.search.values import plain, split_token
from scheduling.errors import Invalid

SPECIAL_VALUES = "http://terminology.hl7.org/CodeSystem/special-values"


@dataclass(frozen=True, kw_only=True)
class Token(Parameter):
    """A code in a column; `system` is the one system of its codes."""

    TYPE = "token"
    MODIFIERS = ("missing", "not")

    column: str
    system: str = ""

    @property
    def sort(self) -> str:
        return self.column

    def condition(self, value: str, modifier: str, base: str) -> Q:
        system, code = split_token(value)
        if system not in (None, self.system):
            return nothing()
        return Q(**{self.column: code}) if code else self.present()

    def present(self) -> Q:
        return ~Q(**{self.column: ""})


@dataclass(frozen=True, kw_only=True)
class MappedCode(Parameter):
    """A column with values that FHIR shows as codes of a system."""

    TYPE = "token"
    MODIFIERS = ("missing", "not")

    column: str
    codes: Mapping[str, tuple[str, str]]

    @property
    def sort(self) -> str:
        return self.column

    def condition(self, value: str, modifier: str, base: str) -> Q:
        system, code = split_token(value)
        values = [
            name
            for name, coding in self.codes.items()
            if system in (None, coding[0]) and (not code or code == coding[1])
        ]
        return Q(**{f"{self.column}__in": values})

    def present(self) -> Q:
        return ~Q(**{self.column: ""})


@dataclass(frozen=True, kw_only=True)
class Flag(Parameter):
    """A boolean column."""

    TYPE = "token"
    MODIFIERS = ("missing", "not")

    column: str

    @property
    def sort(self) -> str:
        return self.column

    def condition(self, value: str, modifier: str, base: str) -> Q:
        return Q(**{self.column: read_flag(value)})

    def present(self) -> Q:
        return Q(**{f"{self.column}__isnull": False})


@dataclass(frozen=True, kw_only=True)
class Concept(Parameter):
    """CodeableConcepts at places in JSON. `:text` asks for the start of a word of their texts and displays."""

    TYPE = "token"
    MODIFIERS: ClassVar[tuple[str, ...]] = ("missing", "not", "text")

    CODES: ClassVar[str] = ".coding"
    KEY: ClassVar[str] = "code"
    TEXTS: ClassVar[tuple[str, ...]] = (".text", ".coding.display")

    places: tuple[str, ...]

    def condition(self, value: str, modifier: str, base: str) -> Q:
        if modifier == "text":
            words = f" {plain(value)}"
            return any_of(tells(f"{place}{text}", words) for place in self.places for text in self.TEXTS)
        test = coded(value, self.KEY)
        return any_of(holds(f"{place}{self.CODES}", test) for place in self.places)

    def present(self) -> Q:
        return any_of(map(is_there, self.places))

    def among(self, column: str, test: str) -> "Concept":
        return replace(self, places=tuple(among(each, column, test) for each in self.places))


@dataclass(frozen=True, kw_only=True)
class Coding(Concept):
    """Codings without a concept around them."""

    CODES = ""
    TEXTS = (".display",)


@dataclass(frozen=True, kw_only=True)
class Identifier(Concept):
    """Identifiers; `:text` searches the text of their type, `:of-type` is `system|code|value` with the coding of the
    type.
    """

    MODIFIERS = ("missing", "not", "text", "of-type")

    CODES = ""
    KEY = "value"
    TEXTS = (".type.text",)

    places: tuple[str, ...] = ("identifier",)

    def condition(self, value: str, modifier: str, base: str) -> Q:
        if modifier != "of-type":
            return super().condition(value, modifier, base)
        kind, _, number = value.rpartition("|")
        if not number or "|" not in kind or not all(split_token(kind)):
            raise Invalid(f"{value!r} is not system|code|value.")
        test = f"exists(@.type.coding ? ({coded(kind)})) && @.value == {quoted(plain(number))}"
        return any_of(holds(place, test) for place in self.places)


@dataclass(frozen=True, kw_only=True)
class Code(Concept):
    """Codes without a system of their own."""

    MODIFIERS: ClassVar[tuple[str, ...]] = ("missing", "not")

    system: str = ""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        system, code = split_token(value)
        if system not in (None, self.system):
            return nothing()
        return any_of(holds(place, f"@ == {quoted(code)}") for place in self.places) if code else self.present()


@dataclass(frozen=True, kw_only=True)
class Language(Concept):
    """A language in a column, or those in `places`."""

    column: str
    system: str

    def condition(self, value: str, modifier: str, base: str) -> Q:
        others = super().condition(value, modifier, base)
        if modifier == "text":
            return others
        return others | Token(column=self.column, system=self.system).condition(value, modifier, base)

    def present(self) -> Q:
        return super().present() | ~Q(**{self.column: ""})


@dataclass(frozen=True, kw_only=True)
class ServiceType(Concept):
    """The `serviceType` that was sent, or the type of the services of a row of `model`."""

    model: type[Model]
    services: str
    places: tuple[str, ...] = ("extra.serviceType",)

    def condition(self, value: str, modifier: str, base: str) -> Q:
        return super().condition(value, modifier, base) | self._offering(self._types().condition(value, modifier, base))

    def present(self) -> Q:
        return super().present() | self._offering(self._types().present())

    def _types(self) -> Concept:
        return Concept(places=(f"{self.services}__type",))

    def _offering(self, condition: Q) -> Q:
        return Q(pk__in=self.model._default_manager.filter(condition).values("pk"))


@dataclass(frozen=True, kw_only=True)
class Contact(Parameter):
    """Contact points of one system (empty: of any), in the column of the system or at the place in JSON."""

    TYPE = "token"
    MODIFIERS = ("missing", "not")

    system: str = ""
    columns: tuple[str, ...] = ("phone", "email")
    place: str = "extra.telecom"

    @property
    def sort(self) -> str:
        return self.system if self.system in self.columns else ""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        named, number = split_token(value)
        system = self.system or named
        if named not in (None, system):
            return nothing()
        of_system = [f"@.system == {quoted(system)}"] if system else []
        of_number = [f"@.value == {quoted(number)}"] if number else []
        columns = [column for column in self.columns if not system or column == system]
        inside = (Q(**{f"{each}__iexact": number}) if number else ~Q(**{each: ""}) for each in columns)
        return any_of((*inside, holds(self.place, " && ".join((*of_system, *of_number)))))

    def present(self) -> Q:
        test = f"@.system == {quoted(self.system)}" if self.system else "exists(@.value)"
        columns = [column for column in self.columns if self.system in ("", column)]
        return any_of((*(~Q(**{each: ""}) for each in columns), holds(self.place, test)))


@dataclass(frozen=True, kw_only=True)
class Deceased(Parameter):
    """True if a patient is known to have died: `deceasedBoolean`, or a date of it."""

    TYPE = "token"
    MODIFIERS = ("missing", "not")

    def condition(self, value: str, modifier: str, base: str) -> Q:
        died = holds("extra.deceasedBoolean", "@ == true") | is_there("extra.deceasedDateTime")
        return died if read_flag(value) else ~died

    def present(self) -> Q:
        return is_there("extra.deceasedBoolean") | is_there("extra.deceasedDateTime")


def read_flag(value: str) -> bool:
    """Read a boolean, also with the system of FHIR's codes for it."""
    flag = value.removeprefix(f"{SPECIAL_VALUES}|")
    if flag not in ("true", "false"):
        raise Invalid(f"{value!r} is neither true nor false.")
    return flag == "true"


def coded(value: str, key: str = "code") -> str:
    """Return a jsonpath test for a Coding or Identifier: with this system, none or any, and this code or value."""
    system, code = split_token(value)
    tests = []
    if system:
        tests.append(f"@.system == {quoted(system)}")
    elif system == "":
        tests.append("!(exists(@.system))")
    if code:
        tests.append(f"@.{key} == {quoted(code)}")
    return " && ".join(tests)
