"""The glossary names an existing class, column or function for each word."""

import re
from pathlib import Path
from pkgutil import resolve_name

import pytest
from django.conf import settings

TEXT = (Path(settings.BASE_DIR) / "docs" / "glossary.md").read_text()
ENTRY = re.compile(r"^- \*\*(?P<term>[^*]+)\*\*, `(?P<name>[\w.]+)`:\n  (?P<meaning>\S.*\.)$", re.MULTILINE)
ENTRIES = [match.groupdict() for match in ENTRY.finditer(TEXT)]


def test_each_word_has_two_lines_and_stands_once():
    terms = [entry["term"] for entry in ENTRIES]
    assert len(terms) == TEXT.count("\n- ") >= 30
    assert len(set(terms)) == len(terms)
    assert all(len(entry["meaning"]) <= 120 for entry in ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["term"])
def test_its_name_is_in_the_code(entry):
    assert resolve_name(entry["name"]) is not None


def test_the_words_are_those_that_newcomers_ask_for():
    terms = {"bookable", "offering", "arrangement", "hold", "proposal", "once", "grid", "buffer", "cut-off", "caller"}
    assert terms <= {entry["term"].lower() for entry in ENTRIES}
