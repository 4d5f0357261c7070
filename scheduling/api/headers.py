"""The headers of FHIR's HTTP: https://hl7.org/fhir/R4/http.html#concurrency"""

from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.utils.http import http_date
from rest_framework.request import Request


class Versioned(Protocol):
    """A row, or what became of one."""

    @property
    def version(self) -> int: ...
    @property
    def last_updated(self) -> datetime: ...


def base_of(request: Request) -> str:
    """Our own address, with a slash at its end."""
    return request.build_absolute_uri(f"/{settings.FHIR_BASE_PATH}")


def version_headers(of: Versioned) -> dict[str, str]:
    return {"ETag": f'W/"{of.version}"', "Last-Modified": http_date(of.last_updated.timestamp())}


def is_known_version(request: Request, version: int) -> bool:
    """Whether If-None-Match names it, compared weakly: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2"""
    known = request.headers.get("If-None-Match", "").split(",")
    return any(tag.strip().removeprefix("W/") in ("*", f'"{version}"') for tag in known)


def prefers(request: Request, name: str) -> str:
    """One of the preferences of the Prefer header, such as `return`; empty where it is not said."""
    said = (part.strip().partition("=") for part in request.headers.get("Prefer", "").replace(";", ",").split(","))
    return next((value.strip('" ') for key, _, value in said if key.strip().lower() == name), "")
