"""Quantities and pairs of values, in JSON: https://hl7.org/fhir/R4/search.html#quantity and #composite"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from api.search.kinds import Ordered, Parameter
from api.search.places import holds, is_there, quoted
from api.search.tokens import coded
from api.search.values import Span, plain, read_number, split_composite


@dataclass(frozen=True, kw_only=True)
class Quantity(Ordered):
    """Search parameter for a Quantity: `number|system|code`, or a number alone for any unit."""

    TYPE = "quantity"

    place: str

    def condition(self, value: str, modifier: str, base: str) -> Q:
        return holds(self.place, measured(value))

    def present(self) -> Q:
        return is_there(self.place)


@dataclass(frozen=True, kw_only=True)
class Pair(Parameter):
    """Composite parameter `code$value`: the code of one part of an element and the value of another part."""

    TYPE = "composite"
    MODIFIERS = ()

    place: str
    code: str
    concept: str = ""
    quantity: str = ""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        code, other = split_composite(value)
        inner, test = (self.quantity, measured(other)) if self.quantity else (f"{self.concept}.coding", coded(other))
        return holds(self.place, f"exists(@.{self.code} ? ({coded(code)})) && exists(@.{inner} ? ({test}))")


def measured(value: str) -> str:
    """Return a jsonpath test for a Quantity."""
    number, _, unit = plain(value).partition("|")
    system, _, code = unit.rpartition("|")
    tests = [_compared(read_number(number))]
    if system:
        tests.append(f"@.system == {quoted(system)}")
    if code:
        tests.append(f"(@.code == {quoted(code)} || @.unit == {quoted(code)})")
    return " && ".join(tests)


def _compared(span: Span[Decimal]) -> str:
    first, after = f"({span.first:f})", f"({span.after:f})"
    return {
        "eq": f"@.value >= {first} && @.value < {after}",
        "ap": f"@.value >= {first} && @.value <= {after}",
        "ne": f"(@.value < {first} || @.value >= {after})",
        "gt": f"@.value > {first}",
        "sa": f"@.value > {first}",
        "lt": f"@.value < {first}",
        "eb": f"@.value < {first}",
        "ge": f"@.value >= {first}",
        "le": f"@.value <= {first}",
    }[span.prefix]
