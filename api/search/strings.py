"""String and uri parameters: https://hl7.org/fhir/R4/search.html#string and #uri"""

from dataclasses import dataclass
from typing import ClassVar

from django.db.models import BooleanField, Model, Q, Value

from api.search.kinds import Parameter, any_of
from api.search.places import Sql, column_tells, found_first, holds, is_there, quoted, tells
from api.search.values import plain
from clinic import people_search
from clinic.models.search_text import person_names

# A character that is at the edge of no text.
EDGE = "\x01"
FRAMED = {"eq": "{0}{1}{0}", "sw": "{0}{1}", "ew": "{1}{0}", "co": "{1}"}
MOST_LETTERS = 30  # of a word with which the index of names is searched
NAMED = "({0} @@ clinic_folded({1})::tsquery)"


@dataclass(frozen=True, kw_only=True)
class Text(Parameter):
    """String parameter: the start of a word, without case and accents; `:contains` any part, `:exact` the whole.

    `columns` hold one text each, `lists` several with spaces between them; `places` are in JSON.
    """

    TYPE = "string"
    MODIFIERS = ("missing", "exact", "contains")
    OPERATORS: ClassVar[tuple[str, ...]] = ("eq", "ne", "co", "sw", "ew")

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

    def compared(self, operator: str, value: str, base: str) -> Q:
        """Return the condition on a whole text, its beginning or its end."""
        words, framed = plain(value), FRAMED[operator]
        whole, word = framed.format(EDGE, words), framed.format(" ", words)
        inside = (column_tells(each, whole, EDGE) for each in self.columns)
        listed = (column_tells(each, word) for each in self.lists)
        return any_of((*inside, *listed, *(tells(each, whole, EDGE) for each in self.places)))

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
class Name(Text):
    """String parameter for a part of a person's name, in a table with an index of names.

    The name is compared as written, and folded as in the search for people.
    """

    model: type[Model]

    def condition(self, value: str, modifier: str, base: str) -> Q:
        found = super().condition(value, modifier, base)
        words = [word[:MOST_LETTERS] for word in plain(value).split(" ") if word]
        if modifier or not words:
            return found
        lexemes = " & ".join(f"'{word}'" for word in (each.replace("\\", "\\\\").replace("'", "''") for each in words))
        named = Q(Sql(NAMED, person_names(), Value(f"{lexemes}:*"), output_field=BooleanField()))
        if folded := people_search.lexemes(plain(value), self._weights):
            named, found = named | Q(people_search.matches(folded)), found | Q(people_search.matches(folded))
        return found_first(self.model._default_manager.filter(named)) & found

    @property
    def _weights(self) -> str:
        """Return the weights of this parameter's words in the search column: see clinic.models.search_column."""
        only: dict[tuple[str, ...], str] = {("family",): "A", ("given",): "B"}
        return only.get(self.columns + self.lists, "ABC")


@dataclass(frozen=True, kw_only=True)
class Uri(Parameter):
    """URI parameter on a column or a place in JSON; `:below` for URIs that begin with the value."""

    TYPE = "uri"
    MODIFIERS = ("missing", "below")
    OPERATORS: ClassVar[tuple[str, ...]] = ("eq", "ne", "sw")

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

    def compared(self, operator: str, value: str, base: str) -> Q:
        return self.condition(value, "below" if operator == "sw" else "", base)

    def present(self) -> Q:
        return ~Q(**{self.column: ""}) if self.column else is_there(self.place)
