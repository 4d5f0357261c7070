"""Operations of the API, asked for in a product's process: `python -m benchmarks.call_costs` prints rows as JSON."""

import cProfile
import json
import pstats
import statistics
import sys
import time
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from itertools import islice
from typing import Any

import django

from benchmarks.book import KINDS, bookings_of
from benchmarks.find import questions_of
from benchmarks.inside import TOKEN
from benchmarks.load import Ask
from benchmarks.product import ROOT
from benchmarks.stage import next_monday

ASKED = 200
TAKEN = 2 * ASKED + 2  # with the two of which statements and files are counted


def measure_operations() -> list[list[object]]:
    """The row of each operation, as benchmarks.calls heads it."""
    bookings = bookings_of(next_monday(), KINDS[0])
    questions = questions_of(next_monday())
    held = [_answered(ask)["entry"][0]["resource"]["id"] for ask in islice(to_operation("$hold", bookings), TAKEN)]
    operations: dict[str, Iterator[Ask]] = {
        "no-op": iter([questions["no-op"]] * TAKEN),
        "$find, 1 schedule x 14 days": iter([questions["1 schedule x 14 days"]] * TAKEN),
        "$book": to_operation("$book", bookings),
        "$hold": to_operation("$hold", bookings),
        "$confirm": (("POST", f"/fhir/R4/Appointment/{each}/$confirm", b"") for each in held),
        "$cancel": (("POST", f"/fhir/R4/Appointment/{each}/$cancel", b"") for each in held),
    }
    return [[name, *measured(asks)] for name, asks in operations.items()]


def to_operation(operation: str, bookings: Iterator[Ask]) -> Iterator[Ask]:
    return (("POST", f"/fhir/R4/Appointment/{operation}", body) for _, _, body in bookings)


def measured(asks: Iterator[Ask]) -> list[float]:
    """CPU milliseconds, function calls, statements and files of the product. The first answers fill caches."""
    cpus = []
    for ask in islice(asks, ASKED):
        begun = time.process_time()
        _answered(ask)
        cpus.append((time.process_time() - begun) * 1000)
    profile = cProfile.Profile()
    for ask in islice(asks, ASKED):
        profile.runcall(_answered, ask)
    calls: int = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]  # the stubs leave it out
    statements = _statements(next(asks))
    return [statistics.median(cpus), round(calls / ASKED), statements, _files(next(asks))]


def _answered(ask: Ask) -> Any:
    """The body of the answer that the whole stack gives, as the web server would call it."""
    method, path, body = ask
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/fhir+json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    statuses: list[str] = []
    response = _application()(environ, lambda status, headers: statuses.append(status))
    content = b"".join(response)
    response.close()
    assert statuses[0][0] == "2", (ask, statuses, content)
    return json.loads(content)


@cache
def _application() -> Any:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def _statements(ask: Ask) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        _answered(ask)
    return len(captured)


def _files(ask: Ask) -> int:
    """The number of the product's files of which a function was executed."""
    files = set()

    def note(frame: Any, event: str, argument: object) -> None:
        files.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        _answered(ask)
    finally:
        sys.setprofile(None)
    own = [str(ROOT / package) for package in ("api", "clinic", "portal", "scheduling")]
    return sum(file.startswith(tuple(f"{folder}/" for folder in own)) for file in files)


if __name__ == "__main__":
    django.setup()
    print(json.dumps(measure_operations()))
