"""The values of reports in words and for charts and files."""

from dataclasses import dataclass

from babel.numbers import format_decimal, format_percent
from django.utils.translation import get_language, ngettext, to_locale
from django.utils.translation import gettext as _

from scheduling.reports import Figure, Line, Unit

NO_VALUE = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is read, that of the period before, and both numbers for the chart."""

    figure: Figure
    text: str
    before: str
    number: str
    number_before: str


def cells_of(line: Line, figures: tuple[Figure, ...]) -> list[Cell]:
    """Return the cells of a line of a report."""
    values = zip(figures, line.values, line.before, strict=True)
    return [_cell(figure, value, before) for figure, value, before in values]


def words(value: float | None, unit: Unit) -> str:
    """Return a value with its unit in the reader's language: 3, 12.5%, 40 hours, 2.4 days."""
    if value is None:
        return NO_VALUE
    locale = to_locale(get_language() or "en")
    if unit == Unit.SHARE:
        return format_percent(value, format="#,##0.#%", locale=locale, decimal_quantization=True)
    number = format_decimal(value, format="#,##0.#", locale=locale)
    if unit == Unit.COUNT:
        return number
    whole = 1 if value == 1 else 2  # 0.5 hours
    if unit == Unit.HOURS:
        return ngettext("%(number)s hour", "%(number)s hours", whole) % {"number": number}
    return ngettext("%(number)s day", "%(number)s days", whole) % {"number": number}


def file_cell(value: float | None, unit: Unit) -> float | str:
    """Return a value for a spreadsheet: a share as percent, and nothing where there is no value."""
    if value is None:
        return ""
    return round(100 * value, 2) if unit == Unit.SHARE else round(value, 2)


def file_header(figure: Figure, *, before: bool) -> str:
    """Return the name of a column of a file, with its unit."""
    units = {Unit.SHARE: "%", Unit.HOURS: _("hours"), Unit.DAYS: _("days")}
    name = f"{figure.name} ({units[figure.unit]})" if figure.unit in units else str(figure.name)
    return _("%(figure)s, period before") % {"figure": name} if before else name


def _cell(figure: Figure, value: float | None, before: float | None) -> Cell:
    unit = figure.unit
    return Cell(figure, words(value, unit), words(before, unit), _number(value), _number(before))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
