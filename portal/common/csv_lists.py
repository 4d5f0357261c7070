"""Lists of pages as CSV files: all rows of the page's list, in the reader's language and formats.

The file is at the address of its page, with `download=csv`: so it has the page's filter and the page's permission. Each
package of pages with a list declares the file's columns in its module `downloads`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, Generic, TypeVar, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import translation
from django.utils.http import content_disposition_header
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from clinic import patient_text, phones, time_text
from clinic.country import clinic_zone
from clinic.csv_files import csv_lines
from clinic.local_time import in_zone
from clinic.models import Patient, Resource
from clinic.service_types import names_of
from clinic.translations import text_of
from portal.common import disclosures
from portal.common.callers import caller_of
from scheduling.facts import VisitFacts

Row = TypeVar("Row")

DOWNLOAD, CSV = "download", "csv"
AT_ONCE = 500  # rows that are read, written down and sent together


class Columns(Generic[Row]):
    """One column of a file, or several that belong together."""

    @property
    def headings(self) -> Sequence[Any]:
        raise NotImplementedError

    def cells(self, row: Row) -> Sequence[Any]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Column(Columns[Row]):
    """A column with a heading and one value for each row."""

    heading: Any
    value: Callable[[Row], Any]

    @property
    def headings(self) -> Sequence[Any]:
        return [self.heading]

    def cells(self, row: Row) -> Sequence[Any]:
        return [self.value(row)]


@dataclass(frozen=True, slots=True)
class PhoneColumn(Column[Row]):
    """A column with a telephone number as it is written in the clinic's country."""

    def cells(self, row: Row) -> Sequence[Any]:
        return [phones.display(self.value(row))]


@dataclass(frozen=True, slots=True)
class DateColumn(Column[Row]):
    """A column with a date, or with a date and local time, in words; beside it another with the same in ISO 8601."""

    value: Callable[[Row], date | None]

    @property
    def headings(self) -> Sequence[Any]:
        return [self.heading, _iso(self.heading)]

    def cells(self, row: Row) -> Sequence[Any]:
        found = self.value(row)
        if isinstance(found, datetime):
            return [time_text.moment(found), found.isoformat(timespec="seconds")]
        return [None, None] if found is None else [time_text.plain_day(found), found.isoformat()]


@dataclass(frozen=True, slots=True)
class PatientColumns(Columns[Row]):
    """Columns with the patient of a row: name, birth date, and how they can be reached."""

    patient: Callable[[Row], Patient | None]

    @property
    def headings(self) -> Sequence[Any]:
        born = _("Date of birth")
        return [_("Patient"), born, _iso(born), _("Phone"), _("Email")]

    def cells(self, row: Row) -> Sequence[Any]:
        found = self.patient(row)
        if found is None:
            return [None] * len(self.headings)
        name, born = patient_text.with_note(found), patient_text.birth_date_text(found)
        return [name, born, found.born, phones.display(found.phone), found.email]


@dataclass(frozen=True, slots=True)
class VisitColumns(Columns[Row]):
    """Columns with the visit of a row: when, for what, with whom and where."""

    visit: Callable[[Row], VisitFacts | None]

    @property
    def headings(self) -> Sequence[Any]:
        start, end = _("Start"), _("End")
        return [start, _iso(start), end, _iso(end), _("Visit"), _("Service type"), _("With"), _("Site")]

    def cells(self, row: Row) -> Sequence[Any]:
        found = self.visit(row)
        if found is None:
            return [None] * len(self.headings)
        site, service = text_of(found.appointment.site, "name"), found.appointment.service
        types = ", ".join(names_of(service.type)) if service else None
        return [*_both(found.start), *_both(found.end), found.name, types, found.with_whom, site]


def _both(local: datetime) -> tuple[str, str]:
    return time_text.moment(local), local.isoformat(timespec="seconds")


def _iso(heading: Any) -> Any:
    return format_lazy(_("{heading} (ISO 8601)"), heading=heading)


def _nobody(row: Any) -> Iterable[Resource]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvList(Generic[Row]):
    """The file of a list: its name, which is also that of the page in the audit log, and its columns.

    `about` returns the resources of a row whose patients the file names.
    """

    name: str
    columns: Sequence[Columns[Row]]
    about: Callable[[Row], Iterable[Resource]] = _nobody


def is_wanted(request: HttpRequest) -> bool:
    """True if the request is for the page's list as a file. What was typed to find people is posted."""
    return (request.POST if request.method == "POST" else request.GET).get(DOWNLOAD) == CSV


def download(request: HttpRequest, listed: CsvList[Row], rows: Iterable[Row], *, now: datetime) -> HttpResponse:
    """Return the file with these rows. Which patients it names is written down before they are sent."""
    day = in_zone(now, clinic_zone()).date()
    header = [heading for each in listed.columns for heading in each.headings]
    return file_response(f"{listed.name.replace(' ', '-')}-{day}.csv", header, _cells(request, listed, rows, now))


def file_response(name: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """Return a file with these cells, which is sent while its rows are read."""
    texts = _in_language(translation.get_language(), _texts(header, rows))
    first = next(texts)  # an error of the first rows is an error page, and no file that breaks off
    response = StreamingHttpResponse(chain([first], texts), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name)
    return cast(HttpResponse, response)  # the pages' views and decorators name the class beside it


def _texts(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the header with the first rows, then the other rows."""
    lines = csv_lines(header, rows)
    while text := "".join(islice(lines, AT_ONCE)):
        yield text


def _cells(request: HttpRequest, listed: CsvList[Row], rows: Iterable[Row], now: datetime) -> Iterator[Sequence[Any]]:
    remaining, caller = iter(rows), caller_of(request)
    while together := list(islice(remaining, AT_ONCE)):
        named = (resource for row in together for resource in listed.about(row))
        disclosures.downloaded(caller, named, listed.name, now=now)
        for row in together:
            yield [cell for each in listed.columns for cell in each.cells(row)]


def _in_language(language: str | None, texts: Iterator[str]) -> Iterator[str]:
    """Yield the texts as they are in the language: they are sent after the request's own language has ended."""
    while True:
        with translation.override(language):
            text = next(texts, None)
        if text is None:
            return
        yield text
