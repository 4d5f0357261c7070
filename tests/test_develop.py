"""Every file, module and function that docs/develop.md names exists, and each step of a walk is in its file."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType

import pytest
from django.conf import settings

from tests.test_docs import variables

ROOT = Path(settings.BASE_DIR)
TEXT = (ROOT / "docs" / "develop.md").read_text()
NAMES = sorted(set(re.findall(r"`([^`\n]+)`", TEXT.replace("```", ""))))
PATHS = [name for name in NAMES if re.fullmatch(r"[\w.][\w./-]*(/|/[\w.-]+\.\w+|\.toml)", name)]
IDENTIFIERS = [name for name in NAMES if re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", name)]
STEP = re.compile(r"^\| (\d+) \| `([^`]+)` \|(.*?)\| .* \|$", re.MULTILINE)
STEPS = [(int(number), path, re.findall(r"`([^`]+)`", names)) for number, path, names in STEP.findall(TEXT)]
# Packages, a group of entry points, a constraint, a trigger, arguments, elements and parameters of FHIR: words that
# name nothing in a module.
WORDS = {
    *("demo", "api", "clinic", "scheduling", "portal", "portal.staff"),
    *(
        "clinic_scheduling.plugins",
        "slot_never_sold_twice",
        "stamp_offerings",
        "now",
        "column",
        "places",
        "expression",
        "description",
        "extra",
        "extra.reasonCode",
        "Bundle.entry.response.outcome",
        "section",
    ),
    *("_has", "_filter", "_content", "_include"),
}
OF_NO_MODULE = {*WORDS, *PATHS, *variables()}


def module_of(path: str) -> ModuleType:
    return import_module(path.removesuffix(".py").removesuffix("/").replace("/", "."))


def modules() -> list[ModuleType]:
    """Return all modules that the text names, and the packages that they are in."""
    files = [path for path in PATHS if path.endswith(".py")]
    packages = ["scheduling/access", "scheduling/availability", "scheduling/booking", "api/search", "clinic/models"]
    return [module_of(path) for path in [*files, *packages]]


def has(module: ModuleType, name: str) -> bool:
    try:
        return resolve_name(f"{module.__name__}:{name}") is not None
    except AttributeError:
        return False


def test_the_names_are_found():
    assert {"scheduling/booking/", "api/search/tables/visits.py"} <= set(PATHS)
    assert {"find_times", "HealthcareService.reminders"} <= set(IDENTIFIERS)
    assert [number for number, _path, _names in STEPS] == [*range(1, 24), *range(1, 16)]


@pytest.mark.parametrize("path", PATHS)
def test_each_file_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("number", "path", "names"), STEPS)
def test_each_function_of_a_walk_is_in_its_file(number, path, names):
    assert (ROOT / path).exists()
    assert [name for name in names if not has(module_of(path), name)] == []


@pytest.mark.parametrize("name", [name for name in IDENTIFIERS if name not in OF_NO_MODULE])
def test_each_name_is_in_a_module_that_the_text_names(name):
    package, _, inner = name.rpartition(".")
    named = [module for module in modules() if module.__name__.endswith(f".{package}")] if package else []
    assert any(has(module, name) for module in modules()) or any(has(module, inner) for module in named)
