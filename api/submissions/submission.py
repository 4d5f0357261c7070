"""What is read, and what is found wrong on the way."""

from collections.abc import Iterator
from typing import Any

from api.parameters import Reader, T
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from scheduling.errors import Issue

HERE = "Parameters.appointment"


class Submission:
    """A proposal while it is read, with what has been found wrong."""

    def __init__(self, sent: Json, base: str) -> None:
        self.sent = sent
        self.base = base
        self.issues: list[Issue] = []

    def read(self, read: Reader[T], value: Any, at: str) -> T | None:
        try:
            return read(value)
        except InvalidElement as error:
            self.refuse(error.text, f"{at}{error.at}", error.code)
            return None

    def refuse(self, text: str, at: str, code: str = "invalid") -> None:
        self.issues.append(Issue(code, text, f"{HERE}.{at}"))


def objects(value: Any) -> Iterator[tuple[int, Json]]:
    """The objects in what should be a list of them; what is not is for the definition to refuse."""
    for n, each in enumerate(value if isinstance(value, list) else ()):
        if isinstance(each, dict):
            yield n, each
