"""Benchmark of finding free times: `python -m benchmarks.find [--against REV]`.

Over 200,000 taken Slots of 1,000 schedules. Each question is asked by one client, one after the other (latency), and
by eight at once (answers a second). Baselines in the same run: a view of the same stack that checks the token and
does nothing, and the same Slots fetched with psycopg and written with orjson alone, without HTTP. With another
revision, each question is asked of both in turn, in each round.
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson

from benchmarks.load import Ask, measure
from benchmarks.product import add_against, add_size
from benchmarks.report import compare, table
from benchmarks.stage import Stage, stages

ONE_CLIENT, EIGHT_CLIENTS = 60, 240  # questions a round
LATENCY, RATE = "p50 ms", "answers/s at 8"
Figures = dict[str, dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how quickly free times are found.")
    add_against(parser)
    add_size(parser)
    arguments = parser.parse_args()
    with stages(arguments.against, slots=arguments.slots) as running:
        measured = _measure(running, arguments.rounds)
        for stage, figures in zip(running, measured, strict=True):
            _print(stage, figures, f"$find over {arguments.slots:,} taken Slots; medians of {arguments.rounds} rounds")
    if arguments.against:
        compare(f"{arguments.against} (old) and this tree (new), in turn", "question", *measured)


def _measure(running: list[Stage], rounds: int) -> list[Figures]:
    """The medians of each stage."""
    samples: list[dict[str, dict[str, list[float]]]] = [
        {LATENCY: defaultdict(list), RATE: defaultdict(list)} for _ in running
    ]
    for round_ in range(rounds + 1):
        for name in questions_of(running[0].first_day):
            for stage, of_stage in zip(running, samples, strict=True):
                ask = questions_of(stage.first_day)[name]
                quick = measure(stage.askers(1), [ask] * ONE_CLIENT)
                many = measure(stage.askers(8), [ask] * EIGHT_CLIENTS)
                assert set(quick.statuses) | set(many.statuses) == {200}, (stage.product.name, name)
                if round_:  # the first warms up
                    of_stage[LATENCY][name].append(quick.p50)
                    of_stage[RATE][name].append(many.rate)
    return [
        {figure: {name: statistics.median(each) for name, each in rows.items()} for figure, rows in of_stage.items()}
        for of_stage in samples
    ]


def _print(stage: Stage, figures: Figures, title: str) -> None:
    questions = questions_of(stage.first_day)
    rows_alone = {name: _rows_alone(stage, *shape) for name, shape in SHAPES.items()}
    statements = _statements(stage, questions)
    latencies = figures[LATENCY]
    table(
        f"{title}; {stage.product.name}",
        ["question", LATENCY, "x no-op", "x rows alone", RATE, "statements", "kB"],
        [
            [
                name,
                latencies[name],
                latencies[name] / latencies["no-op"],
                latencies[name] / rows_alone[name] if name in rows_alone else "",
                round(figures[RATE][name]),
                statements[name],
                len(stage.askers(1)[0].ask(*ask)[1]) / 1000,
            ]
            for name, ask in questions.items()
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


def questions_of(first_day: datetime) -> dict[str, Ask]:
    def find(schedules: str, days: int, count: int) -> Ask:
        end = first_day + timedelta(days=days)
        window = f"start={first_day:%Y-%m-%dT%H:%M:%SZ}&end={end:%Y-%m-%dT%H:%M:%SZ}"
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
    with running.connect() as connection:
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


def _statements(stage: Stage, questions: dict[str, Ask]) -> dict[str, int]:
    """SQL statements of one answer, counted in a process of the product's."""
    paths = json.dumps([path for _, path, _ in questions.values()])
    counts = stage.product.run("-m", "benchmarks.inside", "statements", paths, data_dir=stage.services.data_dir)
    return dict(zip(questions, json.loads(counts), strict=True))


if __name__ == "__main__":
    main()
