"""A write that is sent again is answered as it was the first time.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/: the client names its request in the header
Idempotency-Key, 1 to 255 printable characters. Keys are kept for a day, each client's own.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from clinic import exact_json
from clinic.fhir.datatypes import Json
from clinic.models import Appointment
from scheduling.booking import Once
from scheduling.errors import Invalid

KEY = re.compile(r"[\x21-\x7e]{1,255}")
REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True)
class Answer:
    """What is said to a client, in a form that can be kept."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        return Response(self.body, self.status, headers=self.headers)


def once(request: Request, answer: Callable[[Appointment], Answer]) -> Once | None:
    """The request's Idempotency-Key, if it has one. Raises Invalid for one that is none."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not KEY.fullmatch(key):
        raise Invalid("An Idempotency-Key is 1 to 255 printable characters without spaces.")
    return Once(
        owner=caller_of(request).owner,
        key=key,
        fingerprint=_fingerprint(request),
        answer=lambda appointment: asdict(answer(appointment)),
    )


def replay(kept: Any) -> Response:
    """What was answered then, and that it was then."""
    answer = Answer(**kept)
    return Response(answer.body, answer.status, headers=answer.headers | {REPLAYED: "true"})


def _fingerprint(request: Request) -> str:
    """What is asked, whatever the order of its JSON, and of which version."""
    asked = [request.method, request.get_full_path(), request.headers.get("If-Match", ""), request.data or {}]
    return sha256(exact_json.dumps(asked, orjson.OPT_SORT_KEYS)).hexdigest()
