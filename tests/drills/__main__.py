"""`make drill`: kill every part of an installation at random under load; the exit code is 0 if nothing was wrong.

The data is in CLINIC_DATA_DIR, which must be empty or not exist, or else in a new folder. It is kept.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.drills.installation import Installation

if TYPE_CHECKING:
    from tests.drills.drill import Result


def main() -> int:
    """Run the command `python -m tests.drills`."""
    parser = argparse.ArgumentParser(prog="tests.drills", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long parts are killed (%(default)s)")
    parser.add_argument("--seed", type=int, help="a number that decides what is killed and when")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    data_dir = Path(os.environ.get("CLINIC_DATA_DIR") or tempfile.mkdtemp(prefix="clinic-drill-")).resolve()
    if data_dir.exists() and any(data_dir.iterdir()):
        parser.error(f"{data_dir} is not empty.")
    data_dir.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    print(f"A drill of {arguments.minutes:g} minutes with the seed {seed}, in {data_dir}", flush=True)
    with ExitStack() as stack:
        installation = Installation(data_dir, stack)
        installation.start_servers()
        django.setup()
        from tests.drills.drill import run  # which needs Django's apps

        result = run(installation, arguments.minutes * 60, seed)
    show(result)
    return 1 if result.problems else 0


def show(result: "Result") -> None:
    """Print what was killed, what clients were told, and what was wrong."""
    visits = Counter(visit.status or "refused" for visit in result.records.visits)
    for title, counts in (("killed", result.killed), ("answers", result.records.answers), ("visits", visits)):
        print(f"\n{title}: {sum(counts.values())}")
        print(*(f"  {number:7}  {name}" for name, number in sorted(counts.items())), sep="\n")
    print(f"\nmails: {result.mails}, of which {result.mails_sent_again} were sent again")
    print(
        f"\n{len(result.problems)} problems" if result.problems else "\nNothing was lost, doubled or answered wrongly."
    )
    print(*(f"  {problem}" for problem in result.problems), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
