"""The stylesheets: nothing in them is left over."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHEETS = sorted((ROOT / "static/css").glob("*.css"))
BY_OTHERS = re.compile(r"ec$|ec-|htmx-")  # classes that EventCalendar and htmx give


@pytest.fixture(scope="session")
def sources() -> str:
    """Everything that can give an element a class."""
    patterns = ["templates/**/*.html", "portal/**/*.html", "static/js/*.js", "portal/**/*.py"]
    return "\n".join(path.read_text() for pattern in patterns for path in ROOT.glob(pattern))


def is_given(name: str, sources: str) -> bool:
    """Whether it is written out somewhere, or made of its stem and a variable, as in `status--{{ tone }}`."""
    stem = re.match(r".*-", name)
    made = rf"|{re.escape(stem[0])}[{{$]" if stem else ""
    return bool(re.search(rf"(?<![\w-])(?:{re.escape(name)}(?![\w-]){made})", sources))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_class_is_given_to_something(sheet, sources):
    rules = re.sub(r"/\*.*?\*/|\"[^\"]*\"", "", sheet.read_text(), flags=re.DOTALL)
    selectors = " ".join(re.findall(r"[^{};]*(?={)", rules))
    names = set(re.findall(r"\.([a-zA-Z][\w-]*)", selectors))
    assert not sorted(name for name in names if not BY_OTHERS.match(name) and not is_given(name, sources))
