"""What software was granted, as its token says: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

# The letters stand in this order: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources
SCOPE = re.compile(
    r"(?P<level>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]+)"
    r"\.(?P<may>(?=[cruds])c?r?u?d?s?|read|write|\*)(?:\?(?P<constraint>[^\s?]+=[^\s?]*))?"
)
VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}
INTERACTIONS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}

# Who the person is and which patient it is about: these open no resource.
IDENTITY = ("openid", "fhirUser", "profile")
LASTING = ("offline_access", "online_access")
CONTEXT = (*IDENTITY, *LASTING, "launch/patient")


@dataclass(frozen=True)
class Scope:
    """`patient/Appointment.rs?status=booked`: for whom, on what type, which of c r u d s, and only rows like these."""

    level: str
    type: str
    may: str
    constraint: str = ""

    def __str__(self) -> str:
        return f"{self.level}/{self.type}.{self.may}" + (f"?{self.constraint}" if self.constraint else "")

    def is_for(self, kind: str, may: str) -> bool:
        """True if it grants one of these interactions on some resource of the type."""
        return self.type in ("*", kind) and not set(may).isdisjoint(self.may)

    def __and__(self, other: "Scope") -> "Scope | None":
        """What both grant; None for nothing."""
        may = "".join(letter for letter in self.may if letter in other.may)
        if self.level != other.level or not may or (self.type != other.type and "*" not in (self.type, other.type)):
            return None
        constraints = dict.fromkeys(each for each in (self.constraint, other.constraint) if each)
        return Scope(self.level, other.type if self.type == "*" else self.type, may, "&".join(constraints))


@lru_cache(maxsize=1024)
def read_scope(text: str) -> Scope | None:
    """The resource scope that this is, of version 1 or 2; None for any other."""
    match = SCOPE.fullmatch(text)
    if match is None:
        return None
    return Scope(match["level"], match["type"], VERSION_1.get(match["may"], match["may"]), match["constraint"] or "")


def grantable(asked: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """What is asked for, as far as it is allowed; in the words of who asks where all of it is."""
    permitted = list(allowed)
    return list(dict.fromkeys(granted for each in asked for granted in _narrowed(each, permitted)))


def _narrowed(text: str, allowed: list[str]) -> Iterator[str]:
    scope = read_scope(text)
    if text in allowed:
        yield text
    elif scope is not None:
        parts = [both for each in allowed if (other := read_scope(each)) and (both := scope & other)]
        yield from [text] if scope in parts else map(str, parts)
