"""Texts and addresses of things: https://hl7.org/fhir/R4/search.html#string and #uri"""

from dataclasses import dataclass

from django.db.models import Q

from scheduling.api.search.kinds import Parameter, any_of
from scheduling.api.search.places import column_tells, holds, is_there, quoted, tells
from scheduling.api.search.values import plain


@dataclass(frozen=True, kw_only=True)
class Text(Parameter):
    """The start of a word, whatever its case and accents; `:contains` for any part of it, `:exact` for the whole.

    `columns` hold one text each, `lists` several with spaces between them; `places` are in JSON.
    """

    TYPE = "string"
    MODIFIERS = ("missing", "exact", "contains")

    columns: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def sort(self) -> str:
        return next(iter(self.columns + self.lists), "")

    def condition(self, value: str, modifier: str, base: str) -> Q:
        words = plain(value)
        if modifier == "exact":
            return self._exactly(words)
        sought = words if modifier == "contains" else f" {words}"
        inside = (column_tells(each, sought) for each in self.columns + self.lists)
        return any_of((*inside, *(tells(each, sought) for each in self.places)))

    def present(self) -> Q:
        inside = (~Q(**{each: ""}) for each in self.columns + self.lists)
        return any_of((*inside, *map(is_there, self.places)))

    def _exactly(self, words: str) -> Q:
        whole = (Q(**{each: words}) for each in self.columns + self.lists)
        parts = (
            Q(**{f"{each}__{lookup}": part})
            for each in self.lists
            for lookup, part in (("startswith", f"{words} "), ("endswith", f" {words}"), ("contains", f" {words} "))
        )
        return any_of((*whole, *parts, *(holds(each, f"@ == {quoted(words)}") for each in self.places)))


@dataclass(frozen=True, kw_only=True)
class Uri(Parameter):
    """A URI in a column, or at a place in JSON; `:below` for those that begin with it."""

    TYPE = "uri"
    MODIFIERS = ("missing", "below")

    column: str = ""
    place: str = ""

    @property
    def sort(self) -> str:
        return self.column

    def condition(self, value: str, modifier: str, base: str) -> Q:
        uri = plain(value)
        if self.column:
            return Q(**{f"{self.column}__startswith" if modifier else self.column: uri})
        return holds(self.place, f"@ {'starts with' if modifier else '=='} {quoted(uri)}")

    def present(self) -> Q:
        return ~Q(**{self.column: ""}) if self.column else is_there(self.place)
