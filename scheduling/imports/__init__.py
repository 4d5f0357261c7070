"""Import of the lists of another system from CSV files: patients, practitioners, services, hours and visits.

An import only adds. A row that was imported before, or a patient who is registered already, stays as it is here.
"""

from scheduling.imports.columns import FIELDS, Field, by_names
from scheduling.imports.files import MEGABYTE, MOST_LINES, MOST_MEGABYTES, cell_of, lines_of
from scheduling.imports.steps import (
    MOST_TOGETHER,
    can_be_undone,
    check,
    file_of,
    progress,
    send,
    start,
    undo,
    work,
    work_on,
)

__all__ = [
    "FIELDS",
    "MEGABYTE",
    "MOST_LINES",
    "MOST_MEGABYTES",
    "MOST_TOGETHER",
    "Field",
    "by_names",
    "can_be_undone",
    "cell_of",
    "check",
    "file_of",
    "lines_of",
    "progress",
    "send",
    "start",
    "undo",
    "work",
    "work_on",
]
