"""Products to measure: this working tree and, with `--against REV`, another revision that is checked out beside it.

Every product runs in processes of its own, in its own checkout, with its own migrations. In the other checkout this
tree's benchmarks replace those of the revision, so that the same code measures both. Only the modules that the web
server imports stay the revision's own.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOUND_TO_THE_PRODUCT = ("settings.py", "urls.py", "wsgi.py")


@dataclass(frozen=True)
class Product:
    """A checkout of this repository."""

    name: str
    root: Path

    def run(self, *arguments: str, data_dir: Path) -> str:
        """Run Python in the checkout and return its output; SystemExit with its error if it fails."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=environment(data_dir), capture_output=True, text=True
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["it printed no error"]
            raise SystemExit(f"`python {' '.join(arguments)}` failed in {self.name}: {lines[-1]}")
        return done.stdout


def environment(data_dir: Path) -> dict[str, str]:
    """The environment of a product's processes: the embedded services of a data directory, in production's manner."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return inherited | {
        "CLINIC_DATA_DIR": str(data_dir),
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "DEBUG": "False",
        "CLINIC_COUNTRY": "US",  # the clinic has no sites to tell
        "CLINIC_TIME_ZONE": "UTC",
    }


def add_against(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--against", metavar="REV", help="also measure this git revision, in turn with this tree")


def add_size(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--slots", type=int, default=200_000, help="taken Slots (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds (%(default)s)")


@contextmanager
def products(against: str | None) -> Iterator[list[Product]]:
    """Yield this tree, preceded by the revision if there is one."""
    this_tree = Product("this tree", ROOT)
    if against is None:
        yield [this_tree]
        return
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{against}^{{commit}}")
    if not commit:
        raise SystemExit(f"There is no git revision {against}.")
    with tempfile.TemporaryDirectory(prefix="clinic-bench-") as directory:
        checkout = Path(directory) / "checkout"
        if _git("worktree", "add", "--detach", "--quiet", str(checkout), commit) is None:
            raise SystemExit(f"git cannot check out {against}.")
        try:
            _replace_benchmarks(checkout, against)
            yield [Product(against, checkout), this_tree]
        finally:
            _git("worktree", "remove", "--force", str(checkout))


def _replace_benchmarks(checkout: Path, against: str) -> None:
    folder = checkout / "benchmarks"
    for name in BOUND_TO_THE_PRODUCT:
        if not (folder / name).exists():
            raise SystemExit(f"{against} cannot be measured: it has no benchmarks/{name}.")
    for file in (ROOT / "benchmarks").glob("*.py"):
        if file.name not in BOUND_TO_THE_PRODUCT:
            shutil.copy(file, folder)
    with suppress(FileExistsError):  # the calendar of the staff's pages
        (checkout / "node_modules").symlink_to(ROOT / "node_modules")


def _git(*arguments: str) -> str | None:
    """The output, or None if git fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None
