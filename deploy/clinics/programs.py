"""Commands of manage.py with the settings of one clinic, or of each in turn."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from deploy.clinics.settings_files import Clinic, ClinicError

ROOT = Path(__file__).resolve().parents[2]
# All else that a process knows comes from the settings files, as under systemd.
INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONDONTWRITEBYTECODE", "TERM", "TMPDIR")


def manage(clinic: Clinic, *arguments: str) -> int:
    """Run a command of manage.py for a clinic, and return its exit code."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=inherited | {**clinic.settings}, check=False).returncode


def manage_each(clinics: Sequence[Clinic], arguments: Sequence[str], *, keep_going: bool) -> None:
    """Run a command for one clinic after another; unless `keep_going`, until one fails. Raises ClinicError then."""
    done: list[Clinic] = []
    failed: list[Clinic] = []
    for clinic in clinics:
        print(f"{clinic.name}: {' '.join(arguments)}", flush=True)
        (failed if manage(clinic, *arguments) else done).append(clinic)
        if failed and not keep_going:
            break
    if failed:
        left = [clinic for clinic in clinics if clinic not in (*done, *failed)]
        raise ClinicError(f"Failed: {_names(failed)}. Done: {_names(done)}. Not begun: {_names(left)}.")
    print(f"Done: {_names(done)}.")


def _names(clinics: Iterable[Clinic]) -> str:
    return ", ".join(clinic.name for clinic in clinics) or "none"
