"""The cost of the pages of a full clinic: `python -m benchmarks.pages [--against REV]`.

20 practitioners with 480 visits a day over a week, asked for by the front desk; and a patient's page of times with 50
practitioners who are booked up for four weeks, in steps of five minutes. In process, through the whole stack without
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
    arguments = parser.parse_args()
    with products(arguments.against) as measured_products:
        runs = [[_measured(product) for product in measured_products] for _ in measured_products]
        for product, rows in zip(measured_products, runs[-1], strict=True):
            table(f"Pages of a full clinic; {product.name}", HEAD, rows)
    if arguments.against:
        old, new = (_figures(rows) for rows in zip(*runs, strict=True))
        compare(f"{arguments.against} (old) and this tree (new), in turn", "page", old, new)


def _measured(product: Product) -> list[list[float | str]]:
    """A row for each page, measured on a database of its own."""
    with services(product) as running:
        rows: list[list[float | str]] = json.loads(
            product.run("-m", "benchmarks.page_costs", data_dir=running.data_dir)
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
