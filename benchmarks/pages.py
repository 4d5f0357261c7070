"""The cost of the pages of a full clinic: `python -m benchmarks.pages [--against REV]`.

20 practitioners with 480 visits a day over a week, asked for by the front desk and an owner; and a patient's page of
times with 50 practitioners who are booked up for four weeks, in steps of five minutes. `--practitioners 100 --patients
100000 --past-visits 1000000` give the clinic a long past. In process, through the whole stack without
HTTP: milliseconds on the wall, milliseconds of this process' CPU, bytes as they are and compressed, SQL statements, and
the elements of the page. With another revision, all pages of both are measured in turn, twice.
"""

import argparse
import json
import statistics

from benchmarks.product import Product, add_against, products
from benchmarks.report import compare, table
from benchmarks.stage import services

HEAD = ["page", "ms", "CPU ms", "kB", "kB compressed", "statements", "elements"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the pages of a full clinic.")
    add_against(parser)
    parser.add_argument("--practitioners", type=int, default=20, help="practitioners (%(default)s)")
    parser.add_argument("--patients", type=int, default=1_000, help="patients (%(default)s)")
    parser.add_argument("--past-visits", type=int, default=0, help="visits before this week (%(default)s)")
    arguments = parser.parse_args()
    size = [arguments.practitioners, arguments.patients, arguments.past_visits]
    with products(arguments.against) as measured_products:
        runs = [[_measured(product, size) for product in measured_products] for _ in measured_products]
        for product, rows in zip(measured_products, runs[-1], strict=True):
            table(f"Pages of a full clinic; {product.name}", HEAD, rows)
    if arguments.against:
        old, new = (_figures(rows) for rows in zip(*runs, strict=True))
        compare(f"{arguments.against} (old) and this tree (new), in turn", "page", old, new)


def _measured(product: Product, size: list[int]) -> list[list[float | str]]:
    """A row for each page, measured on a database of its own."""
    with services(product) as running:
        rows: list[list[float | str]] = json.loads(
            product.run("-m", "benchmarks.page_costs", *map(str, size), data_dir=running.data_dir)
        )
        return rows


def _figures(runs: tuple[list[list[float | str]], ...]) -> dict[str, dict[str, float]]:
    """The medians of a product's runs, by name of the figure and page."""
    return {
        name: {
            str(rows[0][0]): statistics.median(float(row[HEAD.index(name)]) for row in rows)
            for rows in zip(*runs, strict=True)
        }
        for name in ("CPU ms", "kB compressed", "statements")
    }


if __name__ == "__main__":
    main()
