"""The work of an operation in Python: `python -m benchmarks.calls [--against REV]`.

In process, through the whole stack without HTTP, on a committed database: milliseconds of this process' CPU, function
calls, SQL statements, and files of the product of which a function is executed. The last three are the same however
busy the machine is. With another revision both are measured in turn, in each round.
"""

import argparse
import json
import statistics

from benchmarks.product import Product, add_against, products
from benchmarks.report import compare, table
from benchmarks.stage import fill, next_monday, services

HEAD = ["operation", "CPU ms", "calls", "statements", "files"]
SCHEDULES, SLOTS = 1_000, 20_000
Row = list[float | str]


def main() -> None:
    parser = argparse.ArgumentParser(description="Count what an operation does in Python.")
    add_against(parser)
    parser.add_argument("--rounds", type=int, default=2, help="measured rounds (%(default)s)")
    arguments = parser.parse_args()
    with products(arguments.against) as measured_products:
        runs = [[_measured(product) for product in measured_products] for _ in range(arguments.rounds)]
        medians = [_medians(rows) for rows in zip(*runs, strict=True)]
        for product, rows in zip(measured_products, medians, strict=True):
            table(f"An operation in Python; {product.name}", HEAD, rows)
    if arguments.against:
        old, new = (_figures(rows) for rows in medians)
        compare(f"{arguments.against} (old) and this tree (new), in turn", "operation", old, new)


def _measured(product: Product) -> list[Row]:
    """A row for each operation, measured on a database of its own."""
    with services(product) as running:
        fill(product, running, next_monday(), SCHEDULES, SLOTS)
        rows: list[Row] = json.loads(product.run("-m", "benchmarks.call_costs", data_dir=running.data_dir))
        return rows


def _medians(runs: tuple[list[Row], ...]) -> list[Row]:
    return [
        [rows[0][0], *(statistics.median(float(row[at]) for row in rows) for at in range(1, len(HEAD)))]
        for rows in zip(*runs, strict=True)
    ]


def _figures(rows: list[Row]) -> dict[str, dict[str, float]]:
    return {name: {str(row[0]): float(row[at]) for row in rows} for at, name in enumerate(HEAD) if at}


if __name__ == "__main__":
    main()
