"""CSV files that are opened with a spreadsheet program."""

import csv
import io
from decimal import Decimal

import pytest

from clinic.csv_files import csv_lines


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_text_is_run_as_a_formula(text):
    [_, line] = csv_lines(["Name"], [[text]])
    assert next(csv.reader(io.StringIO(line, newline=""))) == ["'" + text]


def test_everything_else_stays_as_it_is():
    row = ['Ada "the first" Quinn, Dr.', "Zoë\nQuinn", -2, 0.5, Decimal("-40.50"), None, "a=b"]
    text = "".join(csv_lines(["Name", "Note"], [row]))
    assert text.encode().startswith(b"\xef\xbb\xbfName,Note\r\n")
    [_, cells] = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert cells == ['Ada "the first" Quinn, Dr.', "Zoë\nQuinn", "-2", "0.5", "-40.50", "", "a=b"]
