"""Views of the manifest and its files, which need no token: https://hl7.org/fhir/uv/smart-scheduling-links

A client that has the newest version gets 304, without any computation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from api.publishing import slots
from api.publishing.editions import Edition
from api.publishing.published import Published
from clinic import exact_json
from clinic.fhir.datatypes import instant
from clinic.models import HealthcareService, Location, Practitioner, PractitionerRole, Schedule, Slot

NDJSON = "application/fhir+ndjson"
MODELS = (Slot, Schedule, HealthcareService, Location, Practitioner, PractitionerRole)
LATEST = "SELECT greatest({})".format(
    ", ".join(f"(SELECT max(last_updated) FROM {model._meta.db_table})" for model in MODELS)
)


@dataclass(frozen=True)
class Version:
    """The version of the published files. It changes with the data, and after each `PUBLISHED_MAX_AGE`."""

    since: datetime

    @property
    def etag(self) -> str:
        return f'W/"{self.since.timestamp()}"'


@csrf_exempt
@require_safe
def manifest(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Answer `$bulk-publish` with the manifest, in JSON whatever the client accepts."""
    version = _version(timezone.now())
    if (unchanged := _unchanged(request, version)) is not None:
        return unchanged
    here, base = request.build_absolute_uri(request.path), _base(request)
    states = Published(edition, base, version.since).states
    body = {
        "transactionTime": instant(version.since),
        "request": here,
        "output": [
            {"type": kind, "url": f"{here}/{kind}.ndjson", "extension": {"state": states}} for kind in edition.kinds
        ],
        "error": [],
    }
    return _fresh(JsonResponse(body), version)


@csrf_exempt
@require_safe
def file(request: HttpRequest, edition: Edition, kind: str) -> HttpResponseBase:
    """Answer with a file of newline-delimited JSON."""
    if kind not in edition.kinds:
        raise Http404
    version = _version(timezone.now())
    if (unchanged := _unchanged(request, version)) is not None:
        return unchanged
    published = Published(edition, _base(request), version.since)
    lines = slots.days(published, as_of=version.since) if kind == "Slot" else _lines(published, kind)
    return _fresh(StreamingHttpResponse(lines, content_type=NDJSON), version)


def _lines(published: Published, kind: str) -> Iterator[bytes]:
    for resource in published.resources(kind):
        yield exact_json.dumps(resource, orjson.OPT_APPEND_NEWLINE)


def _version(now: datetime) -> Version:
    """Return the version: one statement. A change that was committed late shows after the maximum age."""
    age = settings.PUBLISHED_MAX_AGE.total_seconds()
    aged = datetime.fromtimestamp(now.timestamp() // age * age, UTC) if age else now
    with connection.cursor() as cursor:
        cursor.execute(LATEST)
        [latest] = cursor.fetchone()
    return Version(max(aged, min(latest or aged, now)))


def _unchanged(request: HttpRequest, version: Version) -> HttpResponseBase | None:
    """Return 304 if the client has this version."""
    found = get_conditional_response(request, version.etag, int(version.since.timestamp()))
    return None if found is None else _fresh(found, version)


def _fresh(response: HttpResponseBase, version: Version) -> HttpResponseBase:
    patch_cache_control(response, public=True, max_age=int(settings.PUBLISHED_MAX_AGE.total_seconds()))
    response["ETag"] = version.etag
    response["Last-Modified"] = http_date(version.since.timestamp())
    return response


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri(f"/{settings.FHIR_BASE_PATH}")
