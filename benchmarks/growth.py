"""Benchmark of a growing history: `python -m benchmarks.growth [--against REV]`.

It finds, searches and books over 10,000 taken Slots, then ten times as many, up to 1,000,000 or what `--largest` says.
With `--audit-lines` each taken Slot has so many lines in the audit log. With another revision, each size is measured
with both in turn.
"""

import argparse
import statistics
from datetime import datetime, timedelta

import psycopg

from benchmarks.book import KINDS, bookings_of
from benchmarks.find import questions_of
from benchmarks.load import Ask, measure
from benchmarks.product import add_against
from benchmarks.report import compare, table
from benchmarks.rows import insert
from benchmarks.stage import Stage, stages, take

SMALLEST, LARGEST = 10_000, 1_000_000
SCHEDULES = 1_000
TAKEN_IN_A_WEEK = 50  # of each schedule
ROUNDS = 3
FIND = ("1 schedule x 14 days", "any of 50 x 14 days, first 20", "next free of 1,000")
SEARCH = ("search a day of a schedule", "search the audit of a patient, first 20", "search the audit of an hour")
ASKED = (*FIND, *SEARCH)
FIGURES = [*(f"{name}, p50 ms" for name in ASKED), "booked/s at 8"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure finding and booking while the history grows.")
    add_against(parser)
    parser.add_argument("--largest", type=int, default=LARGEST, help="taken Slots at the end (%(default)s)")
    parser.add_argument("--audit-lines", type=int, default=0, help="lines of each taken Slot (%(default)s)")
    arguments = parser.parse_args()
    sizes = [SMALLEST]
    while sizes[-1] < arguments.largest:
        sizes.append(min(sizes[-1] * 10, arguments.largest))
    with stages(arguments.against, schedules=SCHEDULES, slots=SMALLEST) as running:
        measured = _measure(running, sizes, arguments.audit_lines)
    for stage, figures in zip(running, measured, strict=True):
        _print(f"Growth; {stage.product.name}", figures)
    if arguments.against:
        compare(f"{arguments.against} (old) and this tree (new), in turn", "taken Slots", *measured)


def _measure(running: list[Stage], sizes: list[int], audit_lines: int) -> list[dict[str, dict[str, float]]]:
    """The figures of each stage, by name and size."""
    measured: list[dict[str, dict[str, float]]] = [{name: {} for name in FIGURES} for _ in running]
    beyond_the_taken = max(364, (sizes[-1] // SCHEDULES // TAKEN_IN_A_WEEK + 1) * 7)
    bookings = [bookings_of(stage.first_day, KINDS[0], after_days=beyond_the_taken) for stage in running]
    for done, size in zip([0, *sizes], sizes, strict=False):
        for stage in running:
            with stage.connect() as connection:
                take(connection, SCHEDULES, max(done, SMALLEST), size, stage.first_day)
                _audit(connection, done, size, audit_lines, stage.first_day)
                connection.execute("VACUUM ANALYZE")
        latencies: list[dict[str, list[float]]] = [{name: [] for name in ASKED} for _ in running]
        rates: list[list[float]] = [[] for _ in running]
        for round_ in range(ROUNDS + 1):
            for name in ASKED:
                for stage, of_stage in zip(running, latencies, strict=True):
                    asked = questions_of(stage.first_day) | _searches(stage.first_day)
                    outcome = measure(stage.askers(1), [asked[name]] * 20)
                    assert set(outcome.statuses) == {200}, (stage.product.name, name)
                    if round_:  # the first warms up
                        of_stage[name].append(outcome.p50)
            for stage, free_times, of_stage_rates in zip(running, bookings, rates, strict=True):
                outcome = measure(stage.askers(8), [next(free_times) for _ in range(200)])
                assert set(outcome.statuses) == {201}, (stage.product.name, outcome.statuses)
                if round_:
                    of_stage_rates.append(outcome.rate)
        for figures, of_stage, of_stage_rates in zip(measured, latencies, rates, strict=True):
            for name in ASKED:
                figures[f"{name}, p50 ms"][f"{size:,}"] = statistics.median(of_stage[name])
            figures["booked/s at 8"][f"{size:,}"] = statistics.median(of_stage_rates)
    return measured


def _audit(connection: psycopg.Connection, done: int, slots: int, lines: int, first_day: datetime) -> None:
    """Add the lines of the taken Slots from `done` to `slots`: reads of 4,000 patients' data, three a second until
    the first day.
    """
    values = {
        "fhir_id": "'line-' || each || '-' || line",
        "action": "'R'",
        "subtype": "'read'",
        "recorded": f"'{first_day.isoformat()}'::timestamptz - (each * {lines} + line) * interval '333 ms'",
        "patient_id": "least_patient + each % 4000",
        "target": "'Slot/taken-' || each",
    }
    source = f"""
        generate_series({done}, {slots} - 1) each CROSS JOIN generate_series(1, {lines}) line
        CROSS JOIN (SELECT min(id) AS least_patient FROM clinic_patient) patients
    """
    connection.execute(insert(connection, "clinic_auditevent", values, source))


def _searches(first_day: datetime) -> dict[str, Ask]:
    def search(path: str) -> Ask:
        return "GET", f"/fhir/R4/{path}", b""

    day, hour = first_day + timedelta(days=1), first_day - timedelta(hours=1)
    of_day = f"start=ge{first_day:%Y-%m-%dT%H:%M:%SZ}&start=lt{day:%Y-%m-%dT%H:%M:%SZ}"
    addresses = (
        f"Slot?status=busy&schedule=Schedule/s1&{of_day}",
        "AuditEvent?patient=Patient/pat7&_count=20",
        f"AuditEvent?date=ge{hour:%Y-%m-%dT%H:%M:%SZ}&_count=20",
    )
    return dict(zip(SEARCH, map(search, addresses), strict=True))


def _print(title: str, figures: dict[str, dict[str, float]]) -> None:
    sizes = list(figures[FIGURES[0]])
    rows: list[list[object]] = [[size, *(figures[name][size] for name in FIGURES)] for size in sizes]
    ratios = [f"x {figures[name][sizes[-1]] / figures[name][sizes[0]]:.2f}" for name in FIGURES]
    table(title, ["taken Slots", *FIGURES], [*rows, ["last against first", *ratios]])


if __name__ == "__main__":
    main()
