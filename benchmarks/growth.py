"""Benchmark of a growing history: `python -m benchmarks.growth` finds and books over 10,000 to 1,000,000 Slots."""

import statistics

from benchmarks.book import KINDS, bookings_of
from benchmarks.find import questions_of
from benchmarks.load import measure
from benchmarks.report import table
from benchmarks.stage import stage, take

SIZES = (10_000, 100_000, 1_000_000)
SCHEDULES = 1_000
ASKED = ("1 schedule x 14 days", "any of 50 x 14 days, first 20", "next free of 1,000")


def main() -> None:
    rows: list[list[object]] = []
    with stage(slots=SIZES[0]) as running:
        questions, bookings = questions_of(running), bookings_of(running, KINDS[0])
        done = SIZES[0]
        for size in SIZES:
            take(SCHEDULES, done, size, running.first_day)
            done = size
            row: list[object] = [f"{size:,}"]
            for name in ASKED:
                measure(running.askers(1), [questions[name]] * 10)
                row.append(measure(running.askers(1), [questions[name]] * 60).p50)
            rates = [measure(running.askers(8), [next(bookings) for _ in range(200)]).rate for _ in range(4)]
            rows.append([*row, round(statistics.median(rates[1:]))])
    first = rows[0]
    ratios = [_ratio(last, before) for last, before in zip(rows[-1][1:], first[1:], strict=True)]
    head = ["taken Slots", *(f"{name}, p50 ms" for name in ASKED), "booked/s at 8"]
    table("Growth", head, [*rows, ["last against first", *ratios]])


def _ratio(last: object, first: object) -> str:
    assert isinstance(last, (int, float))
    assert isinstance(first, (int, float))
    return f"x {last / first:.2f}"


if __name__ == "__main__":
    main()
