"""Benchmark of a growing history: `python -m benchmarks.growth [--against REV]`.

It finds and books over 10,000 taken Slots, then ten times as many, up to 1,000,000 or what `--largest` says. With
another revision, each size is measured with both in turn.
"""

import argparse
import statistics

from benchmarks.book import KINDS, bookings_of
from benchmarks.find import questions_of
from benchmarks.load import measure
from benchmarks.product import add_against
from benchmarks.report import compare, table
from benchmarks.stage import Stage, stages, take

SMALLEST, LARGEST = 10_000, 1_000_000
SCHEDULES = 1_000
TAKEN_IN_A_WEEK = 50  # of each schedule
ROUNDS = 3
FIND = ("1 schedule x 14 days", "any of 50 x 14 days, first 20", "next free of 1,000")
FIGURES = [*(f"{name}, p50 ms" for name in FIND), "booked/s at 8"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure finding and booking while the history grows.")
    add_against(parser)
    parser.add_argument("--largest", type=int, default=LARGEST, help="taken Slots at the end (%(default)s)")
    arguments = parser.parse_args()
    sizes = [SMALLEST]
    while sizes[-1] < arguments.largest:
        sizes.append(min(sizes[-1] * 10, arguments.largest))
    with stages(arguments.against, schedules=SCHEDULES, slots=SMALLEST) as running:
        measured = _measure(running, sizes)
    for stage, figures in zip(running, measured, strict=True):
        _print(f"Growth; {stage.product.name}", figures)
    if arguments.against:
        compare(f"{arguments.against} (old) and this tree (new), in turn", "taken Slots", *measured)


def _measure(running: list[Stage], sizes: list[int]) -> list[dict[str, dict[str, float]]]:
    """The figures of each stage, by name and size."""
    measured: list[dict[str, dict[str, float]]] = [{name: {} for name in FIGURES} for _ in running]
    beyond_the_taken = max(364, (sizes[-1] // SCHEDULES // TAKEN_IN_A_WEEK + 1) * 7)
    bookings = [bookings_of(stage.first_day, KINDS[0], after_days=beyond_the_taken) for stage in running]
    for done, size in zip([SMALLEST, *sizes], sizes, strict=False):
        for stage in running:
            with stage.connect() as connection:
                take(connection, SCHEDULES, done, size, stage.first_day)
                connection.execute("VACUUM ANALYZE")
        latencies: list[dict[str, list[float]]] = [{name: [] for name in FIND} for _ in running]
        rates: list[list[float]] = [[] for _ in running]
        for round_ in range(ROUNDS + 1):
            for name in FIND:
                for stage, of_stage in zip(running, latencies, strict=True):
                    outcome = measure(stage.askers(1), [questions_of(stage.first_day)[name]] * 20)
                    assert set(outcome.statuses) == {200}, (stage.product.name, name)
                    if round_:  # the first warms up
                        of_stage[name].append(outcome.p50)
            for stage, free_times, of_stage_rates in zip(running, bookings, rates, strict=True):
                outcome = measure(stage.askers(8), [next(free_times) for _ in range(200)])
                assert set(outcome.statuses) == {201}, (stage.product.name, outcome.statuses)
                if round_:
                    of_stage_rates.append(outcome.rate)
        for figures, of_stage, of_stage_rates in zip(measured, latencies, rates, strict=True):
            for name in FIND:
                figures[f"{name}, p50 ms"][f"{size:,}"] = statistics.median(of_stage[name])
            figures["booked/s at 8"][f"{size:,}"] = statistics.median(of_stage_rates)
    return measured


def _print(title: str, figures: dict[str, dict[str, float]]) -> None:
    sizes = list(figures[FIGURES[0]])
    rows: list[list[object]] = [[size, *(figures[name][size] for name in FIGURES)] for size in sizes]
    ratios = [f"x {figures[name][sizes[-1]] / figures[name][sizes[0]]:.2f}" for name in FIGURES]
    table(title, ["taken Slots", *FIGURES], [*rows, ["last against first", *ratios]])


if __name__ == "__main__":
    main()
