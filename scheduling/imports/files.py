"""CSV files as other systems and spreadsheet programs write them: https://www.rfc-editor.org/rfc/rfc4180"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from clinic.csv_files import FORMULA_STARTS
from clinic.fhir.validation import UNSTORABLE
from scheduling.errors import Invalid

MEGABYTE = 1024 * 1024
MOST_MEGABYTES = 20
MOST_LINES = 100_000
MOST_COLUMNS = 200
LONGEST_NAME = 200  # of a column
LONGEST_CELL = 10_000
DELIMITERS = ",;\t"
WIDE = (b"\xff\xfe", b"\xfe\xff")  # the byte order marks of UTF-16, which Excel calls "Unicode Text"


@dataclass(frozen=True)
class Table:
    """The text of a CSV file with the names of its columns, and the number of its lines that are not empty."""

    text: str
    header: tuple[str, ...]
    count: int


def read_table(data: bytes) -> Table:
    """Return the table in the file. Raises Invalid, with what the reader can do about it."""
    if len(data) > MOST_MEGABYTES * MEGABYTE:
        raise Invalid(
            _("The file is larger than %(most)d MB. Split it, and import one part after the other.")
            % {"most": MOST_MEGABYTES}
        )
    text = _decoded(data)
    lines = _records(text)
    try:
        header = tuple(name.strip()[:LONGEST_NAME] for name in next(lines, ()))
        count = sum(1 for _line in lines)
    except csv.Error:
        raise Invalid(_("The file is not CSV: a quotation mark is missing, or a cell is very long.")) from None
    if not any(header):
        raise Invalid(_("The file is empty. Its first line has the names of the columns."))
    if len(header) > MOST_COLUMNS:
        raise Invalid(_("The file has more than %(most)d columns.") % {"most": MOST_COLUMNS})
    if not count:
        raise Invalid(_("The file has no lines below the names of its columns."))
    if count > MOST_LINES:
        raise Invalid(
            _("The file has more than %(most)d lines. Split it, and import one part after the other.")
            % {"most": MOST_LINES}
        )
    return Table(text, header, count)


def lines_of(text: str) -> Iterator[list[str]]:
    """Yield the cells of each line below the header that is not empty."""
    lines = _records(text)
    next(lines, None)
    for line in lines:
        yield [_plain(cell) for cell in line]


def _records(text: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    return (line for line in lines if any(cell.strip() for cell in line))


def _delimiter(text: str) -> str:
    """Return the mark that is most frequent in the first line, outside of quotation marks."""
    first = "".join(text.lstrip().partition("\n")[0].split('"')[::2])
    return max(DELIMITERS, key=first.count)


def _decoded(data: bytes) -> str:
    if data.startswith(WIDE):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    if "\0" in text:
        raise Invalid(_("This is not a CSV file. Save the table as CSV in your spreadsheet program, and send that."))
    return text


def _plain(cell: str) -> str:
    """Return the text of a cell, without the apostrophe that keeps spreadsheet programs from running it."""
    text = UNSTORABLE.sub("", cell)
    return text[1:].strip() if text[:1] == "'" and text[1:].startswith(FORMULA_STARTS) else text.strip()


def cell_of(line: Sequence[str], column: int | None) -> str:
    """Return the text in a column; empty if the line is too short or the column was not chosen."""
    return line[column] if column is not None and column < len(line) else ""
