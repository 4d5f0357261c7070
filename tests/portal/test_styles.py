"""The stylesheets have no unused classes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHEETS = sorted((ROOT / "static/css").glob("*.css"))
BY_OTHERS = re.compile(r"ec$|ec-|htmx-")  # classes that EventCalendar and htmx give


@pytest.fixture(scope="session")
def given() -> set[str]:
    """Return every word that can be a class of an element; or its stem before a variable: `status--{{ tone }}`."""
    patterns = ["templates/**/*.html", "portal/**/*.html", "demo/**/*.html", "static/js/*.js", "portal/**/*.py"]
    sources = "\n".join(path.read_text() for pattern in patterns for path in ROOT.glob(pattern))
    stems = re.findall(r"(?<![\w-])([\w-]*-)[{$]", sources)
    return {*re.findall(r"[\w-]+", sources), *(f"{stem}{{" for stem in stems)}


def is_given(name: str, given: set[str]) -> bool:
    """True if the class is used as a whole, or as a stem with a variable."""
    stem = re.match(r".*-", name)
    return name in given or (stem is not None and f"{stem[0]}{{" in given)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_class_is_given_to_something(sheet, given):
    rules = re.sub(r"/\*.*?\*/|\"[^\"]*\"", "", sheet.read_text(), flags=re.DOTALL)
    selectors = " ".join(re.findall(r"[^{};]*(?={)", rules))
    names = set(re.findall(r"\.([a-zA-Z][\w-]*)", selectors))
    assert not sorted(name for name in names if not BY_OTHERS.match(name) and not is_given(name, given))
