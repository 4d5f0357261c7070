"""Search parameters that follow references: https://hl7.org/fhir/R4/search.html#reference

Each has a condition for one reference, for the rows that a query finds (chains, _revinclude), and reversed (_has).
"""

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from django.db.models import Model, Q, QuerySet

from api.search import places
from api.search.kinds import Parameter, any_of, nothing
from api.search.places import holds, is_there, quoted
from api.search.tokens import coded
from api.search.values import plain
from clinic.fhir.resources import RESOURCES

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
VERSION = re.compile(r"/_history/[A-Za-z0-9\-.]{1,64}\Z", re.ASCII)


class Named(NamedTuple):
    """The target that a value names.

    `kind` may be empty; `elsewhere` is the value if it is no resource of this server.
    """

    kind: str
    fhir_id: str
    elsewhere: str = ""


@dataclass(frozen=True, kw_only=True)
class Reference(Parameter):
    """A reference to one of `types`; `element` is its path in the resource."""

    TYPE = "reference"
    MODIFIERS: ClassVar[tuple[str, ...]] = ("missing", "type", "identifier")
    OPERATORS = ("eq", "ne", "re")

    types: tuple[str, ...]
    element: str = ""

    @property
    def element_path(self) -> str:
        return self.element if self.element and self.expression is None else super().element_path

    @property
    def can_be_reversed(self) -> bool:
        """True if _has and _revinclude can use the parameter."""
        return True

    @property
    def place(self) -> str:
        """The place in JSON of references without a column: to other servers, or by identifier."""
        return f"extra.{self.element}" if self.element else ""

    def may_be(self, kind: str) -> bool:
        """True if the parameter can refer to this type."""
        return kind in self.types

    def condition(self, value: str, modifier: str, base: str) -> Q:
        if modifier == "identifier":
            return holds(f"{self.place}.identifier", coded(value, "value")) if self.place else nothing()
        named = read_reference(plain(value), base)
        if named.elsewhere:
            return holds(self.place, f"@.reference == {quoted(named.elsewhere)}") if self.place else nothing()
        if modifier and named.kind not in ("", modifier):
            return nothing()
        kind = modifier or named.kind
        return any_of(self.refers(each, named.fhir_id, base) for each in self.types if kind in ("", each))

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        """Return the condition for rows that refer to this target."""
        raise NotImplementedError

    def refers_to(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        """Return the condition for rows that refer to one of these rows of this type."""
        raise NotImplementedError

    def referred_by(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        """Return the rows of this type to which one of these rows refers."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class JsonReference(Reference):
    """References in JSON, however they were written: relative, or at our address. `indexed` by a GIN index of `model`.

    Without `types` they are to anything.
    """

    at: str
    types: tuple[str, ...] = ()
    indexed: type[Model] | None = None

    @property
    def place(self) -> str:
        return self.at

    def may_be(self, kind: str) -> bool:
        return super().may_be(kind) or (not self.types and kind in RESOURCES)

    def condition(self, value: str, modifier: str, base: str) -> Q:
        named = read_reference(plain(value), base)
        if self.types or modifier == "identifier" or named.elsewhere:
            return super().condition(value, modifier, base)
        if kind := modifier or named.kind:
            return self.refers(kind, named.fhir_id, base)
        return holds(self.at, f"@.reference like_regex {quoted(f'/{re.escape(named.fhir_id)}$')}")

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        names = (f"{address}{kind}/{fhir_id}" for address in ("", base))
        return holds(self.at, " || ".join(f"@.reference == {quoted(name)}" for name in names))

    def refers_to(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        ids = rows.values("fhir_id")
        if self.indexed is None:
            return places.refers(self.at, ids, _pattern(kind, base))
        names = [f"{address}{kind}/{{id}}" for address in ("", base)]
        return places.refers_by_index(self.at, ids, self.indexed._meta.db_table, names)

    def referred_by(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        named = rows.annotate(named=places.referred(self.at, _pattern(kind, base)))
        return Q(fhir_id__in=named.values("named"))

    def present(self) -> Q:
        return is_there(self.at)

    def among(self, column: str, test: str) -> "JsonReference":
        return replace(self, at=places.among(self.at, column, test))


@dataclass(frozen=True, kw_only=True)
class Short(Reference):
    """An alias for longer chains."""

    MODIFIERS = ("type",)

    chains: tuple[str, ...]

    @property
    def can_be_reversed(self) -> bool:
        return False


def read_reference(value: str, base: str) -> Named:
    """Read `Type/id`, relative, absolute or versioned, or an id alone."""
    kind, _, fhir_id = VERSION.sub("", value.removeprefix(base)).rpartition("/")
    is_local = ID.fullmatch(fhir_id) and (kind == "" or (kind.isascii() and kind.isalpha()))
    return Named(kind, fhir_id) if is_local else Named("", "", elsewhere=value)


def _pattern(kind: str, base: str) -> str:
    """Return a regular expression that extracts the id from a reference of this type to this server."""
    return rf"^(?:{re.escape(base)})?{kind}/([A-Za-z0-9.\-]{{1,64}})(?:/_history/[A-Za-z0-9.\-]{{1,64}})?$"
