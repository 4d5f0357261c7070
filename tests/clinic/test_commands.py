"""Commands of `bootstrap.py`, with small programs instead of Python and djade. `make` has the same ones."""

import re
import sys
from pathlib import Path

import pytest

import bootstrap

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TOOL = """#!{python}
import pathlib, sys
arguments = [each for each in sys.argv[1:] if not each.endswith(".html")]
with pathlib.Path("{log}").open("a") as log:
    print("{name}", *arguments, file=log)
sys.exit({exit_code!r} in arguments)
"""


class Machine:
    """A checkout in which everything is installed; its tools record how they are called."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.log = folder / "calls"
        self.monkeypatch = monkeypatch
        (folder / "bin").mkdir()
        self.fail("")
        for name in ("install", "install_npm_packages", "find_or_install_programs"):
            monkeypatch.setattr(bootstrap, name, lambda *_, **__: None)
        monkeypatch.setattr(bootstrap, "PYTHON", folder / "bin" / "python")
        monkeypatch.setattr(bootstrap, "VENV", folder)
        monkeypatch.setattr(bootstrap, "TESTS", [str(folder / "bin" / "python"), *bootstrap.TESTS[1:]])
        monkeypatch.setattr(bootstrap.os, "execv", self.replace_process)

    def fail(self, word: str) -> None:
        """Let every tool fail whose arguments contain this word."""
        for name in ("python", "djade"):
            program = self.folder / "bin" / name
            program.write_text(TOOL.format(python=sys.executable, log=self.log, name=name, exit_code=word))
            program.chmod(0o755)

    def replace_process(self, program: Path, arguments: list[str]) -> None:
        self.log.write_text(" ".join(["exec", *arguments[1:]]) + "\n")

    def run(self, *arguments: str) -> int:
        self.monkeypatch.setattr(sys, "argv", ["bootstrap.py", *arguments])
        return bootstrap.main()

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


STATIC = [
    "python -m ruff format --check .",
    "python -m ruff check .",
    "djade --check",
    "python -m mypy",
    "python -c from importlinter.cli import lint_imports_command as lint; lint()",
    "python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run --settings tests.settings",
    "python manage.py check",
]


@pytest.mark.parametrize("command", ["check", "test"])
def test_check_runs_everything_and_so_does_test_without_arguments(machine, command):
    assert machine.run(command, "--") == 0
    assert machine.calls() == [*STATIC, "python -m pytest -n auto --dist worksteal"]


def test_with_arguments_test_runs_pytest_at_once_and_nothing_else(machine):
    machine.run("test", "--", "tests/scheduling/test_hold.py", "-k", "expired")
    assert machine.calls() == ["exec -m pytest tests/scheduling/test_hold.py -k expired"]


@pytest.mark.parametrize(("command", "option"), [("demo", ""), ("run", " --reload")])
def test_the_clinic_runs_as_a_demo_or_for_a_developer(machine, command, option):
    machine.run(command, "--reset")
    assert machine.calls() == [f"exec -m demo{option} --reset"]


def test_lint_runs_every_check_but_the_tests(machine):
    assert machine.run("lint", "--") == 0
    assert machine.calls() == STATIC


def test_lint_runs_those_that_are_named(machine):
    assert machine.run("lint", "--", "layers", "formatting") == 0
    assert machine.calls() == [STATIC[4], STATIC[0]]


def test_a_check_that_it_does_not_know_is_said(machine, capsys):
    assert machine.run("lint", "tpyes") == 1
    assert capsys.readouterr().err.startswith("lint: There is no check tpyes; there are formatting, lint, templates")
    assert machine.calls() == []


@pytest.mark.parametrize("command", ["check", "lint"])
def test_the_first_check_that_fails_ends_it(machine, command, capsys):
    machine.fail("mypy")
    assert machine.run(command) == 1
    assert machine.calls() == STATIC[:4]
    assert "types FAILED" in capsys.readouterr().out


def test_format_sorts_imports_and_formats_python_and_templates(machine):
    assert machine.run("format") == 0
    assert machine.calls() == ["djade", "python -m ruff check --select I --fix .", "python -m ruff format ."]


def test_an_unformattable_file_fails_and_the_others_are_formatted(machine):
    machine.fail("--fix")
    assert machine.run("format") == 1
    assert machine.calls()[-1] == "python -m ruff format ."


def test_there_is_a_target_for_each_command_and_none_besides(machine):
    targets = {
        name: re.search(r"bootstrap\.py ([\w-]+)", recipe)[1]
        for name, recipe in re.findall(r"^([\w-]+):\n\t(@exec .+)", MAKEFILE, re.MULTILINE)
    }
    assert targets == {name: name for name in bootstrap.COMMANDS}
    assert set(re.search(r"^\.PHONY: (.+)", MAKEFILE, re.MULTILINE)[1].split()) == {"help", *targets}
    assert set(re.findall(r'@echo "make ([\w-]+)', MAKEFILE)) == set(targets)


def test_ci_runs_check():
    script = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"exec .*?(?:make|bootstrap\.py) ([\w-]+)", script) == ["check", "check"]


def test_the_hooks_before_a_commit_are_checks_of_ours_and_fetch_nothing():
    configuration = (ROOT / ".pre-commit-config.yaml").read_text()
    hooks = re.findall(r"^ +entry: (.+)$", configuration, re.MULTILINE)
    names = ["formatting", "lint", "templates", "layers", "types", "migrations"]
    assert hooks == [f"python3 bootstrap.py lint {name}" for name in names]
    assert set(names) < set(bootstrap.static_checks())
    assert re.findall(r"repo: (.+)", configuration) == ["local"]
    assert configuration.count("language: system") == configuration.count("pass_filenames: false") == len(names)
