"""Full-text search: https://hl7.org/fhir/R4/search.html#content

`bone`, `"broken bone"`, `(bone OR liver) AND metastases`; words without an operator must all be there.
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
# PostgreSQL begins with the words or with the visible rows, whichever are fewer.
HAS_WORDS = "EXISTS (SELECT FROM {table} AS kept WHERE kept.row_id = {{0}} AND kept.words @@ {{1}})"
HAS_VISIBLE_WORDS = """EXISTS (
    SELECT FROM {table} AS kept WHERE kept.row_id = {{0}} AND kept.words @@ {{1}} AND CASE
        WHEN kept.parts IS NULL THEN NOT {{2}} @? {{3}}::jsonpath
        ELSE clinic_words_shown(kept.parts, {{4}}::jsonpath) @@ {{1}} END)"""
# Every word of a query gets the weight of the narrative.
OF_NARRATIVE = r"regexp_replace((%(expressions)s)::text, '(''([^'']|'''')*'')', '\1:A', 'g')::tsquery"

Query = SearchQuery | CombinedSearchQuery


@dataclass(frozen=True, kw_only=True)
class Content(Parameter):
    """Search parameter for the words of resources of `kind`; with `narrative` only for words of weight A.

    `only` is a column and a test for its items that the caller may see; the narrative contains none of them.
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
            return Q(Sql(HAS_WORDS.format(table=table), *rows, output_field=BooleanField()))
        column, test = self.only
        visible = (F(column), Value(f"$[*] ? (!({test}))"), Value(f"$[*] ? ({test})"))
        return Q(Sql(HAS_VISIBLE_WORDS.format(table=table), *rows, *visible, output_field=BooleanField()))

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
    for other in others:
        first = first | other if node.data == "either" else first & other
    return first
