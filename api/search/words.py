"""Full-text search: https://hl7.org/fhir/R4/search.html#content

`bone`, `"broken bone"`, `(bone OR liver) AND metastases`; words that stand side by side are all wanted.
"""

from dataclasses import dataclass, replace
from functools import cache

from django.contrib.postgres.search import CombinedSearchQuery, SearchQuery, SearchQueryField
from django.db.models import BooleanField, F, Func, Q, Value
from lark import Token, Tree

from api.search.grammar import Grammar
from api.search.kinds import Parameter
from api.search.places import Sql
from api.search.values import plain
from clinic.models.search_text import search_text_table

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
# The database begins with the words or with the rows that the caller may see, whichever are fewer.
SAID = "EXISTS (SELECT FROM {table} AS kept WHERE kept.row_id = {{0}} AND kept.words @@ {{1}})"
SAID_AND_SHOWN = """EXISTS (
    SELECT FROM {table} AS kept WHERE kept.row_id = {{0}} AND kept.words @@ {{1}} AND CASE
        WHEN kept.parts IS NULL THEN NOT {{2}} @? {{3}}::jsonpath
        ELSE clinic_words_shown(kept.parts, {{4}}::jsonpath) @@ {{1}} END)"""
# Every word of a query gets the weight of the narrative.
OF_NARRATIVE = r"regexp_replace((%(expressions)s)::text, '(''([^'']|'''')*'')', '\1:A', 'g')::tsquery"

Query = SearchQuery | CombinedSearchQuery


@dataclass(frozen=True, kw_only=True)
class Content(Parameter):
    """The words of resources of `kind`; of their `narrative` alone those with the weight A.

    `only` says of which items of the column that is not for everybody; the narrative has none of it.
    """

    TYPE = "string"
    MODIFIERS = ()
    OPERATORS = ("eq", "ne", "co")

    kind: str
    narrative: bool = False
    only: tuple[str, str] | None = None

    def condition(self, value: str, modifier: str, base: str) -> Q:
        query: Query | Func = _query(_grammar().read(plain(value)))
        if self.narrative:
            query = Func(query, template=OF_NARRATIVE, output_field=SearchQueryField())
        table, rows = search_text_table(self.kind), (F("pk"), query)
        if self.only is None or self.narrative:
            return Q(Sql(SAID.format(table=table), *rows, output_field=BooleanField()))
        column, test = self.only
        shown = (F(column), Value(f"$[*] ? (!({test}))"), Value(f"$[*] ? ({test})"))
        return Q(Sql(SAID_AND_SHOWN.format(table=table), *rows, *shown, output_field=BooleanField()))

    def present(self) -> Q:
        return Q()

    def among(self, column: str, test: str) -> "Content":
        return replace(self, only=(column, test))


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
