"""JSON whose decimals keep their precision: https://hl7.org/fhir/R4/datatypes.html#decimal

20.00 is written back as 20.00 and 0.010 as 0.010, while 20.00 counts as 20 wherever it is compared.
"""

import json
from typing import Any

import orjson
from django.db import models

LONGEST = 40  # characters; what is said longer is rounded as any float
MACHINE = 18  # digits of a whole number that every reader of JSON keeps


class ExactNumber(float):
    """A number that says itself as it was written."""

    text: str

    def __new__(cls, text: str) -> "ExactNumber":
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]
        return (self.text,)

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def read_decimal(text: str) -> float:
    """The number that JSON writes so, with a point or an exponent."""
    return ExactNumber(text) if len(text) <= LONGEST else float(text)


def read_whole(text: str) -> int | float:
    """The number that JSON writes so, with neither."""
    return int(text) if len(text) <= MACHINE else read_decimal(text)


def loads(text: str | bytes) -> Any:
    """The value that is written in JSON."""
    return json.loads(text, parse_float=read_decimal, parse_int=read_whole)


def dumps(value: Any, option: int | None = None) -> bytes:
    """The value as JSON; `option` is of orjson."""
    return orjson.dumps(value, default=_written, option=option)


def is_same(one: Any, other: Any) -> bool:
    """True if both are equal and written alike: 20.00 is not written as 20.0 is."""
    if one != other or not isinstance(one, dict | list | float):
        return bool(one == other)
    return _text_of(one) == _text_of(other)


def _text_of(value: Any) -> bytes:
    """The value as JSON, in which what no JSON has, such as a length of time, is its text."""
    try:
        return orjson.dumps(value, default=_shown, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a whole number beyond 64 bits, which no body has: see read_whole
        return json.dumps(value, default=str, sort_keys=True).encode()


def _shown(value: Any) -> Any:
    return _written(value) if isinstance(value, ExactNumber) else str(value)


class ExactEncoder(json.JSONEncoder):
    """For Django: what is stored. PostgreSQL keeps the precision of a number in jsonb."""

    def encode(self, o: Any) -> str:
        return dumps(o, orjson.OPT_INDENT_2 if self.indent else None).decode()


class ExactDecoder(json.JSONDecoder):
    """For Django: what was stored."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": read_decimal, "parse_int": read_whole})


class ExactJSONField(models.JSONField):
    """A column of JSON that keeps the precision of decimals. To migrations it is any column of JSON."""

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
