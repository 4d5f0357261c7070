"""What every search parameter can: https://hl7.org/fhir/R4/search.html#ptypes"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from django.db.models import Q


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One search parameter of one type of resource.

    In the tables `definition` is the last part of its canonical URL, where that is not `Type-name`; `ours` says that
    FHIR has none of this name, and `description` then what it finds.
    """

    TYPE: ClassVar[str]
    MODIFIERS: ClassVar[tuple[str, ...]] = ("missing",)
    COMPARATORS: ClassVar[tuple[str, ...]] = ()

    name: str = ""
    definition: str = ""
    ours: bool = False
    description: str = ""

    @property
    def sort(self) -> str:
        """The column to sort by, if there is one."""
        return ""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        """The rows that have this value, still escaped. `base` is our own address, with a slash at its end."""
        raise NotImplementedError

    def present(self) -> Q:
        """The rows that have any value."""
        raise NotImplementedError


def any_of(conditions: Iterable[Q]) -> Q:
    found = list(conditions)
    return Q(*found, _connector=Q.OR) if found else nothing()


def nothing() -> Q:
    return Q(pk__in=[])
