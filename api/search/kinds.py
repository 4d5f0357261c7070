"""Base classes of search parameters: https://hl7.org/fhir/R4/search.html#ptypes"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from django.db.models import Q

from api.search.values import PREFIXES
from scheduling.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One search parameter of one type of resource.

    In the tables `definition` is the last part of its canonical URL, where that is not `Type-name`; `ours` says that
    FHIR has no parameter of this name; `description` then says what it finds. `expression` is the FHIRPath of what it
    searches, below the type; by default the element of its name, and empty where FHIRPath cannot say it. `usage` is its
    code of https://hl7.org/fhir/R4/valueset-search-xpath-usage.html.
    """

    TYPE: ClassVar[str]
    MODIFIERS: ClassVar[tuple[str, ...]] = ("missing",)
    COMPARATORS: ClassVar[tuple[str, ...]] = ()
    # Operators of _filter, besides `pr`, which all parameters have.
    OPERATORS: ClassVar[tuple[str, ...]] = ("eq", "ne")

    name: str = ""
    definition: str = ""
    ours: bool = False
    description: str = ""
    expression: str | None = None
    usage: str = "normal"

    @property
    def element_path(self) -> str:
        """The FHIRPath of what it searches, below the type."""
        if self.expression is not None:
            return self.expression
        first, *words = self.name.split("-")
        return first + "".join(map(str.capitalize, words))

    @property
    def sort(self) -> str:
        """Return the column to sort by, if there is one."""
        return ""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        """Return the condition for a value, still escaped. `base` is our base URL with its final slash."""
        raise NotImplementedError

    def compared(self, operator: str, value: str, base: str) -> Q:
        """Return the condition for a comparison with one of the OPERATORS."""
        return self.condition(value, "", base)

    def present(self) -> Q:
        """Return the condition for rows that have a value."""
        raise NotImplementedError

    def among(self, column: str, test: str) -> "Parameter":
        """Return the parameter for those items of a list for which the test, in jsonpath, is true."""
        return self


@dataclass(frozen=True, kw_only=True)
class Ordered(Parameter):
    """A search parameter with ordered values."""

    COMPARATORS = PREFIXES
    OPERATORS: ClassVar[tuple[str, ...]] = PREFIXES

    def compared(self, operator: str, value: str, base: str) -> Q:
        if value.startswith(PREFIXES):
            raise Invalid(f"{value!r} has a prefix: the operator alone says how to compare.")
        return self.condition(value if operator == "eq" else f"{operator}{value}", "", base)


def any_of(conditions: Iterable[Q]) -> Q:
    found = list(conditions)
    return Q(*found, _connector=Q.OR) if found else nothing()


def nothing() -> Q:
    return Q(pk__in=[])
