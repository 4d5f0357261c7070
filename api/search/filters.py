"""The language of `_filter`: https://hl7.org/fhir/R4/search_filter.html

This module only parses it. Tests are joined from left to right; `and` and `or` have the same precedence.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lark import Token, Transformer, v_args

from api.search.grammar import Grammar

RULES = r"""
    ?start: joined
    ?joined: _term | joined LOGIC _term -> both
    _term: test | negation | "(" joined ")"
    negation: _NOT "(" joined ")"
    test: path OPERATOR value
    value: STRING | TOKEN
    path: step ("." step)*
    step: NAME ("[" joined "]")?
    _NOT.2: /not(?=\s*\()/i
    LOGIC: /(and|or)(?![^\s(])/i
    OPERATOR: /[A-Za-z]+(?!\S)/
    NAME: /[A-Za-z_][A-Za-z0-9_\-]*/
    STRING: /"(?:\\(?:["\\\/bfnrt]|u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4})|[^"\\])*"/
    TOKEN: /[^\s()\[\]"][^\s)\]]*/
    %ignore /\s+/
"""
TERMINALS = {
    "NAME": "the name of a parameter",
    "_NOT": "not (...)",
    "OPERATOR": "an operator such as eq",
    "TOKEN": "a value",
    "STRING": 'a value in "quotes"',
    "LOGIC": "and, or",
    "DOT": ".",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
}


@dataclass(frozen=True)
class Step:
    """A parameter in a path; `within` filters what it refers to."""

    name: str
    within: "Filter | None"


@dataclass(frozen=True)
class Test:
    """A comparison at the end of a path; `place` is its position in the text."""

    path: Sequence[Step]
    operator: str
    value: str
    place: int


@dataclass(frozen=True)
class Both:
    """Two filters, joined by `and` or `or`."""

    left: "Filter"
    logic: str
    right: "Filter"


@dataclass(frozen=True)
class Not:
    inner: "Filter"


Filter = Test | Both | Not


def read_filter(text: str) -> Filter:
    """Parse a filter. Raises Invalid with the position and what could stand there."""
    found: Filter = _Reader().transform(_grammar().read(text))
    return found


@cache
def _grammar() -> Grammar:
    return Grammar(RULES, TERMINALS)


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    def both(self, left: Filter, logic: Token, right: Filter) -> Both:
        return Both(left, logic.lower(), right)

    def negation(self, inner: Filter) -> Not:
        return Not(inner)

    def test(self, path: Sequence[Step], operator: Token, value: str) -> Test:
        place = operator.start_pos
        assert place is not None
        return Test(path, operator.lower(), value, place)

    def path(self, *steps: Step) -> Sequence[Step]:
        return steps

    def step(self, name: Token, within: Filter | None = None) -> Step:
        return Step(str(name), within)

    def value(self, token: Token) -> str:
        return str(json.loads(token, strict=False)) if token.type == "STRING" else str(token)
