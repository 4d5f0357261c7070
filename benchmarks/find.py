"""Benchmark of finding free times: `python -m benchmarks.find`.

Over 200,000 taken Slots of 1,000 schedules. Each question is asked by one client, one after the other (latency), and
by eight at once (answers a second). Baselines in the same run: a view of the same stack that checks the token and
does nothing, and the same Slots fetched with psycopg and written with orjson alone, without HTTP.
"""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

from benchmarks.load import Ask, measure
from benchmarks.report import table
from benchmarks.stage import Stage, stage

ROUNDS = 5
ONE_CLIENT, EIGHT_CLIENTS = 60, 240  # questions a round


def main() -> None:
    with stage() as running:
        questions = questions_of(running)
        latencies: dict[str, list[float]] = {name: [] for name in questions}
        rates: dict[str, list[float]] = {name: [] for name in questions}
        for round_ in range(ROUNDS + 1):
            for name, ask in questions.items():
                quick = measure(running.askers(1), [ask] * ONE_CLIENT)
                many = measure(running.askers(8), [ask] * EIGHT_CLIENTS)
                assert set(quick.statuses) | set(many.statuses) == {200}, name
                if round_:  # the first warms up
                    latencies[name].append(quick.p50)
                    rates[name].append(many.rate)
        sizes = {name: len(running.askers(1)[0].ask(*ask)[1]) for name, ask in questions.items()}
        rows_alone = {name: _rows_alone(running, *shape) for name, shape in SHAPES.items()}
        statements = _statements(questions)

    noop = statistics.median(latencies["no-op"])
    table(
        f"$find over 200,000 taken Slots; medians of {ROUNDS} rounds",
        ["question", "p50 ms", "x no-op", "x rows alone", "answers/s at 8", "statements", "kB"],
        [
            [
                name,
                statistics.median(latencies[name]),
                statistics.median(latencies[name]) / noop,
                statistics.median(latencies[name]) / rows_alone[name] if name in rows_alone else "",
                round(statistics.median(rates[name])),
                statements[name],
                sizes[name] / 1000,
            ]
            for name in questions
        ],
    )


# name: schedules, days
SHAPES = {
    "1 schedule x 1 day": (1, 1),
    "1 schedule x 14 days": (1, 14),
    "3 all-of x 14 days": (3, 14),
    "any of 50 x 14 days, first 20": (50, 14),
    "next free of 1,000": (1000, 14),
}


def questions_of(running: Stage) -> dict[str, Ask]:
    def find(schedules: str, days: int, count: int) -> Ask:
        end = running.first_day + timedelta(days=days)
        window = f"start={running.first_day:%Y-%m-%dT%H:%M:%SZ}&end={end:%Y-%m-%dT%H:%M:%SZ}"
        service = "service-type-reference=HealthcareService/office"
        return "GET", f"/fhir/R4/Appointment/$find?{window}&{service}&{schedules}&_count={count}", b""

    def pool(size: int) -> str:
        return "schedule=" + ",".join(f"Schedule/s{number}" for number in range(1, size + 1))

    three = "&".join(f"schedule=Schedule/s{number}" for number in (1, 2, 3))
    return {
        "no-op": ("GET", "/fhir/R4/$noop", b""),
        "1 schedule x 1 day": find(pool(1), 1, 1000),
        "1 schedule x 14 days": find(pool(1), 14, 1000),
        "1 schedule x 14 days, first 20": find(pool(1), 14, 20),
        "3 all-of x 14 days": find(three, 14, 1000),
        "any of 50 x 14 days, first 20": find(pool(50), 14, 20),
        "next free of 1,000": find("", 14, 1),
    }


def _rows_alone(running: Stage, schedules: int, days: int) -> float:
    """Milliseconds to fetch the same Slots with psycopg and write them with orjson."""
    import orjson
    import psycopg

    with psycopg.connect(running.postgres.url) as connection:
        bookables = connection.execute(
            "SELECT array_agg(bookable_id) FROM (SELECT bookable_id FROM clinic_schedule ORDER BY id LIMIT %s) few",
            [schedules],
        ).fetchone()
        assert bookables
        end = running.first_day + timedelta(days=days)

        def fetch() -> None:
            rows = connection.execute(
                'SELECT bookable_id, extract(epoch FROM start)::bigint, extract(epoch FROM "end")::bigint'
                ' FROM clinic_slot WHERE bookable_id = ANY(%s) AND start < %s AND "end" > %s'
                " AND status IN ('busy', 'busy-tentative', 'busy-unavailable') AND deleted_at IS NULL",
                [bookables[0], end, running.first_day],
            ).fetchall()
            orjson.dumps(rows)

        return _median_ms(fetch)


def _median_ms(act: Callable[[], None], times: int = 15) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def _statements(questions: dict[str, Ask]) -> dict[str, int]:
    """SQL statements of one answer, counted in process."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"authorization": "Bearer bench-token"}, HTTP_HOST="localhost")
    counts = {}
    for name, (_, path, _) in questions.items():
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        counts[name] = len(captured)
    return counts


if __name__ == "__main__":
    main()
