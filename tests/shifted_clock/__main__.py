"""`make check-dates`: run everything but the browser tests on each of the dates, one after another.

DATES names some of them; what is given on the command line goes to pytest.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.shifted_clock import libfaketime
from tests.shifted_clock.dates import shifted_dates

MISSING = (
    "check-dates needs libfaketime, which runs on Linux: install the package faketime (Debian, Ubuntu) or libfaketime."
)


def main(pytest_arguments: Sequence[str]) -> int:
    """Return 0 if the tests passed on every date, 1 if not, 2 if they could not run."""
    library = libfaketime.find() or libfaketime.install()
    if library is None:
        return _complain(MISSING)
    dates = shifted_dates(datetime.now(UTC).date())
    names = os.environ.get("DATES", "").replace(",", " ").split() or list(dates)
    if unknown := set(names) - set(dates):
        return _complain(f"check-dates knows no date {', '.join(sorted(unknown))}. It has {', '.join(dates)}.")
    with TemporaryDirectory(prefix="clinic-clock-") as directory:
        clock = libfaketime.copy_without_waits(library, Path(directory))
        failed = [name for name in names if not passes(name, dates[name], clock, pytest_arguments)]
    print(f"\nFAILED on {', '.join(failed)}." if failed else "\nThe tests pass on every date.")
    return 1 if failed else 0


def passes(name: str, moment: datetime, library: Path, pytest_arguments: Sequence[str]) -> bool:
    """Run the tests from `moment` on, by the clocks of all processes that they start."""
    print(f"\n== {name}: {moment:%A %d %B %Y, %H:%M %Z}", flush=True)
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "worksteal", "-m", "not browser"]
    return subprocess.run([*command, *pytest_arguments], env=os.environ | shifted(moment, library)).returncode == 0


def shifted(moment: datetime, library: Path) -> dict[str, str]:
    """Return the environment of programs whose clocks start at `moment` and run on from there.

    An offset and no date: every process would begin at a date anew. Timeouts are measured on the real monotonic clock.
    """
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{round(moment.timestamp() - time.time()):+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _complain(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
