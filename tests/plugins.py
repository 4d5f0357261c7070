"""Plug-ins for tests: packages that importlib.metadata finds, without an installation."""

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from django.conf import settings

from scheduling import plugins

EXAMPLES = Path(settings.BASE_DIR) / "examples"
IMPORTS = "from scheduling.plugins import Plugin, PluginRefusal, PluginWarning\n"


class PluginInstaller:
    """A directory on sys.path in which packages are installed for one test."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._directory, self._monkeypatch = directory, monkeypatch

    def source(self, name: str, code: str) -> None:
        """Install a plug-in of this name, which is the class Rules of the code."""
        module = f"plugin_{name.replace('-', '_')}"
        (self._directory / f"{module}.py").write_text(IMPORTS + dedent(code))
        self._install(module, {name: f"{module}:Rules"})

    def example(self, directory: str) -> None:
        """Install one of the examples as its pyproject.toml says."""
        root = EXAMPLES / directory
        project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
        self._monkeypatch.syspath_prepend(root)
        self._install(project["name"], project["entry-points"][plugins.GROUP])

    def _install(self, package: str, entry_points: Mapping[str, str]) -> None:
        """Write the metadata of a package: https://packaging.python.org/en/latest/specifications/entry-points/"""
        metadata = self._directory / f"{package.replace('-', '_')}-1.0.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0.0\n")
        lines = [f"[{plugins.GROUP}]", *(f"{name} = {value}" for name, value in entry_points.items())]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
        self._monkeypatch.syspath_prepend(self._directory)
        for value in entry_points.values():
            self._monkeypatch.delitem(sys.modules, value.partition(":")[0], raising=False)
        plugins.installed.cache_clear()
