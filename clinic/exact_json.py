"""JSON whose decimals keep their precision: https://hl7.org/fhir/R4/datatypes.html#decimal

20.00 is written as 20.00 again and 0.010 as 0.010, while 20.00 equals 20 in comparisons.
"""

import json
from typing import Any

import orjson
from django.db import models

LONGEST = 40  # characters; longer numbers are rounded like any float
MACHINE = 18  # digits; longer whole numbers are read like decimals


class ExactNumber(float):
    """A float that keeps the text that it was read from, and is written as that text."""

    text: str

    def __new__(cls, text: str) -> "ExactNumber":
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]
        return (self.text,)

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def read_decimal(text: str) -> float:
    """Return the number for JSON text with a decimal point or an exponent."""
    return ExactNumber(text) if len(text) <= LONGEST else float(text)


def read_whole(text: str) -> int | float:
    """Return the number for JSON text without a decimal point and an exponent."""
    return int(text) if len(text) <= MACHINE else read_decimal(text)


def loads(text: str | bytes) -> Any:
    """Return the value of a JSON text; its decimals keep their precision."""
    return json.loads(text, parse_float=read_decimal, parse_int=read_whole)


def dumps(value: Any, option: int | None = None) -> bytes:
    """Return the value as JSON; `option` is an option of orjson."""
    return orjson.dumps(value, default=_written, option=option)


def is_same(one: Any, other: Any) -> bool:
    """True if both values are equal and written alike; 20.00 and 20.0 are not."""
    if one != other or not isinstance(one, dict | list | float):
        return bool(one == other)
    return _text_of(one) == _text_of(other)


def _text_of(value: Any) -> bytes:
    """Return the value as sorted JSON; types that JSON does not have, such as timedelta, are written as text."""
    try:
        return orjson.dumps(value, default=_written_or_text, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a whole number beyond 64 bits, which read_whole never returns
        return json.dumps(value, default=str, sort_keys=True).encode()


def _written_or_text(value: Any) -> Any:
    return _written(value) if isinstance(value, ExactNumber) else str(value)


class ExactEncoder(json.JSONEncoder):
    """The encoder for Django's JSONField. PostgreSQL keeps the precision of numbers in jsonb."""

    def encode(self, o: Any) -> str:
        return dumps(o, orjson.OPT_INDENT_2 if self.indent else None).decode()


class ExactDecoder(json.JSONDecoder):
    """The decoder for Django's JSONField."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": read_decimal, "parse_int": read_whole})


class ExactJSONField(models.JSONField):
    """A JSONField that keeps the precision of decimals. In migrations it is Django's JSONField."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "encoder": ExactEncoder, "decoder": ExactDecoder})

    def deconstruct(self) -> Any:
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.JSONField", args, _without_codec(options)


def _without_codec(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in ("encoder", "decoder")}


def _written(value: Any) -> Any:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is nothing that JSON has.")
