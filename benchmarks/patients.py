"""The time to find a patient among many: `python -m benchmarks.patients [--patients N]`.

In process, without HTTP: whatever the front desk types, and a search by similar names where fewer than five are found.
"""

import argparse
import json

from benchmarks.product import ROOT, Product
from benchmarks.report import table
from benchmarks.stage import services

HEAD = ["typed", "ms, median", "ms, longest", "found"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the search for patients.")
    parser.add_argument("--patients", type=int, default=100_000, help="patients (%(default)s)")
    arguments = parser.parse_args()
    product = Product("this tree", ROOT)
    with services(product) as running:
        rows = json.loads(
            product.run("-m", "benchmarks.patient_costs", str(arguments.patients), data_dir=running.data_dir)
        )
    table(f"Finding one of {arguments.patients:,} patients", HEAD, rows)


if __name__ == "__main__":
    main()
