"""Addresses of our own extensions, code systems, search parameters and naming systems.

Code and database have them under one base, `codes.OURS`, wherever the server runs. In FHIR they are written with
`FHIR_CANONICAL_BASE`, where their pages are, and both are read. So a server can move, and what clients have stored with
the first base stays readable.
"""

import re
from functools import lru_cache

from django.conf import settings

from clinic.fhir.codes import OURS

KINDS = "StructureDefinition|CodeSystem|SearchParameter|NamingSystem|SubscriptionTopic"
ESCAPED_SLASH = re.compile(rb"((?<!\\)(?:\\\\)*)\\/")
_STORED = f"{OURS}/".encode()


def to_served(body: bytes) -> bytes:
    """Return FHIR, in JSON or XML, with the addresses at which the definitions are served."""
    return body.replace(_STORED, f"{settings.FHIR_CANONICAL_BASE}/".encode())


def to_stored(body: bytes, base: str = "") -> bytes:
    """Return FHIR, in JSON or XML, with the addresses as they are stored. `base` is our own address in this request."""
    if rb"\/" in body:
        body = ESCAPED_SLASH.sub(rb"\1/", body)
    return _bases(settings.FHIR_CANONICAL_BASE, base).sub(_STORED, body)


def as_stored(text: str, base: str = "") -> str:
    """Return a value of a search with the addresses as they are stored."""
    return _bases(settings.FHIR_CANONICAL_BASE, base).sub(_STORED, text.encode()).decode() if "://" in text else text


@lru_cache(maxsize=64)
def _bases(*bases: str) -> "re.Pattern[bytes]":
    """Return the pattern that matches these bases before the path of a definition."""
    named = "|".join(re.escape(base.rstrip("/")) for base in dict.fromkeys(bases) if base)
    return re.compile(rf"(?:{named})/(?=(?:{KINDS})/)".encode())
