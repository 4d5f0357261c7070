"""The words of whole resources: https://hl7.org/fhir/R4/search.html#content

`bone`, `"broken bone"`, `(bone OR liver) AND metastases`; words that stand side by side are all wanted.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from typing import Any

from django.contrib.postgres.search import CombinedSearchQuery, SearchQuery
from django.db.models import BooleanField, F, Func, Q, Value
from lark import Token, Tree

from clinic.fhir.resources import RESOURCES
from clinic.models.words import COLUMNS, words_of
from scheduling.api.search.grammar import Grammar
from scheduling.api.search.kinds import Parameter
from scheduling.api.search.places import Sql, found_first, items
from scheduling.api.search.values import plain

RULES = r"""
    ?start: either
    either: all ("OR"i all)*
    all: _one ("AND"i? _one)*
    _one: PHRASE | WORD | "(" either ")"
    PHRASE: /"[^"]+"/
    WORD: /(?!(?:NOT|(?i:and|or))(?![^\s()"]))[^\s()"]+/
    %ignore /\s+/
"""
TERMINALS = {"WORD": "a word", "PHRASE": 'words in "quotes"', "LPAR": "(", "RPAR": ")", "AND": "AND", "OR": "OR"}
SAID = "({0} @@ {1})"
TOLD = "(ts_filter({0}, '{{a}}') @@ {1})"

Query = SearchQuery | CombinedSearchQuery


@dataclass(frozen=True, kw_only=True)
class Content(Parameter):
    """The words of resources of `kind`; of their `narrative` alone those with the weight A.

    `only` says of which items of a column that is a list."""

    TYPE = "string"
    MODIFIERS = ()
    OPERATORS = ("eq", "ne", "co")

    kind: str
    narrative: bool = False
    only: tuple[str, str] | None = None

    def condition(self, value: str, modifier: str, base: str) -> Q:
        words, query = words_of(self.kind), _query(_grammar().read(plain(value)))
        rows = RESOURCES[self.kind].model._default_manager.filter(Sql(SAID, words, query, output_field=BooleanField()))
        if self.narrative:
            rows = rows.filter(Sql(TOLD, words, query, output_field=BooleanField()))
        found = found_first(rows)
        if self.only:
            column, test = self.only
            shown: dict[Any, Func] = {F(column): items(column, test)}
            found &= Q(Sql(SAID, words.replace_expressions(shown), query, output_field=BooleanField()))
        return found

    def present(self) -> Q:
        return Q()

    def among(self, column: str, test: str) -> "Content":
        return replace(self, only=(column, test)) if column in chain(*COLUMNS[self.kind]) else self


@cache
def _grammar() -> Grammar:
    return Grammar(RULES, TERMINALS)


def _query(node: "Tree[Token] | Token") -> Query:
    if isinstance(node, Token):
        words = Func(Value(node.strip('"')), function="clinic_folded")
        return SearchQuery(words, config="simple", search_type="phrase")
    first, *others = map(_query, node.children)
    for each in others:
        first = first | each if node.data == "either" else first & each
    return first
