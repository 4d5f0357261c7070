"""Benchmark of more web workers on one PostgreSQL: `python -m benchmarks.scale`.

Finding and booking with 1, 2, 4 and 8 workers of granian, four clients for each worker. A core counts as used if there
is a worker for it; the client and PostgreSQL share all cores with the workers.
"""

import argparse
import os
import statistics
from collections.abc import Iterator

from benchmarks.book import KINDS, bookings_of
from benchmarks.find import questions_of
from benchmarks.load import Ask, measure
from benchmarks.product import ROOT, Product, add_size
from benchmarks.report import table
from benchmarks.stage import Stage, fill, next_monday, server, services

WORKERS = (1, 2, 4, 8)
CLIENTS = 4  # for each worker, which has as many threads
SCHEDULES = 1_000
QUESTION = "1 schedule x 14 days"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure finding and booking with more and more web workers.")
    add_size(parser)
    arguments = parser.parse_args()
    product, first_day = Product("this tree", ROOT), next_monday()
    rates = {}
    with services(product) as running:
        token = fill(product, running, first_day, SCHEDULES, arguments.slots)
        free_times = bookings_of(first_day, KINDS[0])
        for workers in WORKERS:
            with server(product, running.data_dir, workers) as port:
                stage = Stage(product, running, port, token, first_day)
                rates[workers] = _measure(stage, workers, free_times, arguments.rounds)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    table(
        f"Web workers on {cores} cores; medians of {arguments.rounds} rounds",
        ["workers", "found/s", "a core", "x 1 worker", "booked/s", "a core", "x 1 worker"],
        [
            [
                workers,
                *(
                    text
                    for kind in (0, 1)
                    for text in compare_rate(rates[workers][kind], rates[1][kind], workers, cores)
                ),
            ]
            for workers in WORKERS
        ],
    )


def _measure(stage: Stage, workers: int, free_times: Iterator[Ask], rounds: int) -> tuple[float, float]:
    """Answers and bookings a second."""
    clients = CLIENTS * workers
    question = questions_of(stage.first_day)[QUESTION]
    found, booked = [], []
    for round_ in range(rounds + 1):
        find = measure(stage.askers(clients), [question] * 50 * clients)
        book = measure(stage.askers(clients), [next(free_times) for _ in range(25 * clients)])
        assert (set(find.statuses), set(book.statuses)) == ({200}, {201}), (find.statuses, book.statuses)
        if round_:  # the first warms up
            found.append(find.rate)
            booked.append(book.rate)
    return statistics.median(found), statistics.median(booked)


def compare_rate(rate: float, alone: float, workers: int, cores: int) -> tuple[int, int, str]:
    """The rate, the rate of a core, and the ratio to one worker alone."""
    return round(rate), round(rate / min(workers, cores)), f"x {rate / alone:.2f}"


if __name__ == "__main__":
    main()
