"""CSV files as spreadsheet programs read them: UTF-8 with a byte order mark, and no cell that is run as a formula.

https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as another encoding
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file that returns what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Return the lines of a file with these cells, one at a time. None is an empty cell."""
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow([safe_cell(each) for each in header])
    for row in rows:
        yield writer.writerow([safe_cell(each) for each in row])


def safe_cell(value: Any) -> Any:
    """Return the value, with an apostrophe before a text that a spreadsheet program would run. Numbers stay numbers."""
    is_text = not isinstance(value, int | float | Decimal)
    text = "" if value is None else str(value)
    return f"'{text}" if is_text and text.startswith(FORMULA_STARTS) else value
