"""The headers of FHIR's HTTP: https://hl7.org/fhir/R4/http.html#concurrency"""

from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import http_date, parse_http_date_safe
from rest_framework.request import Request

from scheduling import interactions
from scheduling.versions import NONE, Versions

# https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ has no name for it: ours says that the
# response is a stored one.
REPLAYED = "Idempotency-Replayed"


class Versioned(Protocol):
    """A row or the result of a write, with its version."""

    @property
    def version(self) -> int: ...
    @property
    def last_updated(self) -> datetime: ...


def base_of(request: Request | HttpRequest) -> str:
    """Return the API's base URL, with its final slash."""
    return request.build_absolute_uri(f"/{settings.FHIR_BASE_PATH}")


def version_headers(of: Versioned) -> dict[str, str]:
    return {"ETag": f'W/"{of.version}"', "Last-Modified": http_date(of.last_updated.timestamp())}


def required_versions(request: Request) -> Versions | None:
    """Return the versions that If-Match names, or NONE for `If-None-Match: *`; None without either header.

    https://hl7.org/fhir/R4/http.html#concurrency and https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
    """
    if request.headers.get("If-None-Match", "").strip() == "*":
        return NONE
    match = request.headers.get("If-Match")
    return None if match is None else interactions.version_of(match)


def is_known(request: Request, of: Versioned) -> bool:
    """True if the client has this version already. If-None-Match goes before If-Modified-Since.

    https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
    """
    if (named := request.headers.get("If-None-Match")) is not None:
        return is_named(of.version, named)
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and int(of.last_updated.timestamp()) <= since


def is_named(version: int, tags: str) -> bool:
    """True if one of these entity tags names the version: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2"""
    return any(tag.strip().removeprefix("W/") in ("*", f'"{version}"') for tag in tags.split(","))


def prefers(request: Request, name: str) -> str:
    """Return a preference of the Prefer header, such as `return`; empty if it is absent."""
    preferences = (
        part.strip().partition("=") for part in request.headers.get("Prefer", "").replace(";", ",").split(",")
    )
    return next((value.strip('" ') for key, _, value in preferences if key.strip().lower() == name), "")
