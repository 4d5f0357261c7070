"""SMART scopes of access tokens: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html"""

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

# Scopes that identify the person or the patient in context: they grant no resource.
IDENTITY = ("openid", "fhirUser", "profile")
LASTING = ("offline_access", "online_access")
CONTEXT = (*IDENTITY, *LASTING, "launch/patient")


@dataclass(frozen=True)
class Scope:
    """A resource scope such as `patient/Appointment.rs?status=booked`: level, resource type, interactions, search
    parameters.
    """

    level: str
    type: str
    may: str
    constraint: str = ""

    def __str__(self) -> str:
        return f"{self.level}/{self.type}.{self.may}" + (f"?{self.constraint}" if self.constraint else "")

    def is_for(self, kind: str, may: str) -> bool:
        """True if the scope grants one of these interactions on at least some resources of the type."""
        return self.type in ("*", kind) and not set(may).isdisjoint(self.may)

    def __and__(self, other: "Scope") -> "Scope | None":
        """The scope that both grant, or None."""
        may = "".join(letter for letter in self.may if letter in other.may)
        if self.level != other.level or not may or (self.type != other.type and "*" not in (self.type, other.type)):
            return None
        constraints = dict.fromkeys(each for each in (self.constraint, other.constraint) if each)
        return Scope(self.level, other.type if self.type == "*" else self.type, may, "&".join(constraints))


@lru_cache(maxsize=1024)
def read_scope(text: str) -> Scope | None:
    """The resource scope in this text, of SMART version 1 or 2; None for any other text."""
    match = SCOPE.fullmatch(text)
    if match is None:
        return None
    return Scope(match["level"], match["type"], VERSION_1.get(match["may"], match["may"]), match["constraint"] or "")


def grantable(requested: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """The requested scopes narrowed to what is allowed; a scope that is wholly allowed keeps its spelling."""
    permitted = list(allowed)
    return list(dict.fromkeys(granted for text in requested for granted in _narrowed(text, permitted)))


def _narrowed(text: str, allowed: list[str]) -> Iterator[str]:
    scope = read_scope(text)
    if text in allowed:
        yield text
    elif scope is not None:
        parts = [both for each in allowed if (other := read_scope(each)) and (both := scope & other)]
        yield from [text] if scope in parts else map(str, parts)
