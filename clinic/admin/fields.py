"""Form fields for columns of FHIR JSON, and for other columns that people type as text."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

import orjson
from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError as NotFHIR

from clinic import exact_json, money, recurrence_text
from clinic.available_time import AVAILABILITY_PERIOD, period_of, recurrence_extension, weeks_of
from clinic.models import WEEKDAYS, concept_text
from clinic.models.services import default_reminders

Json = dict[str, Any]


class ElementsField(forms.JSONField):
    """A field for a list of FHIR elements of one type, as indented JSON."""

    default_error_messages: ClassVar[Any] = {
        "invalid": _("This is not valid JSON. Check its brackets, quotes and commas.")
    }

    def __init__(self, *, element: str, **options: Any) -> None:
        self.element = element
        super().__init__(widget=forms.Textarea(attrs={"rows": 5, "cols": 80, "class": "vLargeTextField"}), **options)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else exact_json.dumps(value, orjson.OPT_INDENT_2).decode()

    def to_python(self, value: Any) -> Any:
        elements = super().to_python(value)
        if elements is None:
            return []
        if not isinstance(elements, list):
            raise ValidationError(
                _("This is a list of %(element)s: it begins with [ and ends with ].") % {"element": self.element}
            )
        for number, element in enumerate(elements, start=1):
            self._check(element, number)
        return elements

    def _check(self, element: Any, number: int) -> None:
        try:
            get_fhir_model_class(self.element).model_validate(element)
        except NotFHIR as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in (self.element, *first["loc"]))
            raise ValidationError(
                _("Number %(number)d is not FHIR: %(problem)s")
                % {"number": number, "problem": f"{where}: {first['msg']}"}
            ) from None


class LinesField(forms.CharField):
    """A field for a list as lines of text, one for each entry.

    A line may hold less than an entry; the entries stay as they are if the text is not changed.
    """

    def __init__(self, *, rows: int, **options: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": rows, "cols": 60}), **options)

    def prepare_value(self, value: Any) -> Any:
        return self.text(value) if value is None or isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        errors, entries = [], []
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            try:
                entries += [self.entry(line.strip())] if line.strip() else []
            except ValueError as error:
                errors.append(ValidationError(_("Line %(number)d: %(problem)s") % {"number": number, "problem": error}))
        if errors:
            raise ValidationError(errors)
        return entries

    def validate(self, value: Any) -> None:
        """Do nothing: `to_python` has validated the value."""

    def run_validators(self, value: Any) -> None:
        """Do nothing: the validators of CharField are for text."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _lines(self.prepare_value(initial)) != _lines(data)

    def text(self, entries: list[Json] | None) -> str:
        return "\n".join(filter(None, (self.line(entry) for entry in entries or ())))

    def entry(self, line: str) -> Json:
        """Return the entry that a line describes. Raises ValueError, with a sentence, if it cannot be read."""
        raise NotImplementedError

    def line(self, entry: Json) -> str:
        raise NotImplementedError


class ElementLinesField(LinesField):
    """A field for FHIR elements, one a line. An element stays as it is while its line is there, and so does one without
    a line.
    """

    def __init__(self, *, rows: int = 2, **options: Any) -> None:
        super().__init__(rows=rows, **options)
        self.known: list[Json] = []
        self._left: list[Json] = []

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        self.known = list(form.get_initial_for_field(self, field_name) or ())
        return super().get_bound_field(form, field_name)

    def to_python(self, value: Any) -> Any:
        self._left = list(self.known)
        entries = super().to_python(value)
        return entries + [each for each in self.known if not self.line(each)]

    def entry(self, line: str) -> Json:
        same = next((each for each in self._left if self.line(each) == line), None)
        if same is None:
            return self.new(line)
        self._left.remove(same)
        return same

    def new(self, line: str) -> Json:
        """Return the element that a new line describes."""
        raise NotImplementedError


class QualificationsField(ElementLinesField):
    """A field for FHIR's Practitioner.qualification, a line each, such as `MD: Doctor of Medicine`."""

    CODED = re.compile(r"(?P<code>[A-Za-z][\w.-]{0,19}):\s+(?P<words>.+)")

    def new(self, line: str) -> Json:
        coded = self.CODED.fullmatch(line)
        concept: Json = {"text": line}
        if coded:
            concept = {"coding": [{"code": coded["code"], "display": coded["words"]}], "text": coded["words"]}
        return {"code": concept}

    def line(self, entry: Json) -> str:
        concept = entry.get("code") or {}
        code = next((coding["code"] for coding in concept.get("coding") or () if coding.get("code")), "")
        text = concept_text(concept)
        return f"{code}: {text}" if code and text != code else text


class IdentifiersField(ElementLinesField):
    """A field for FHIR Identifiers, a line each: the address of the system, and the number in it."""

    NUMBERED = re.compile(r"(?P<system>[A-Za-z][\w+.-]*:\S+)\s+(?P<value>.+)")

    def new(self, line: str) -> Json:
        numbered = self.NUMBERED.fullmatch(line)
        return numbered.groupdict() if numbered else {"value": line}

    def line(self, entry: Json) -> str:
        return f"{entry.get('system', '')} {entry.get('value', '')}".strip()


class PayersField(ElementLinesField):
    """A field for FHIR's Coverage.payor, a line each: the name of who pays, or the reference of one without a name."""

    def new(self, line: str) -> Json:
        return {"display": line}

    def line(self, entry: Json) -> str:
        return str(entry.get("display") or entry.get("reference") or "")


class WeeklyHoursField(LinesField):
    """A field for FHIR availableTime, one line for each window, such as `mon-fri 09:00-17:00 from 2026-05-01`.

    After the times a line may say in which weeks, as `clinic.recurrence_text` reads it. An empty field is None;
    `closed` is an empty list.
    """

    CLOSED = "closed"
    WINDOW = re.compile(
        r"(?P<days>[a-z][a-z ,-]*?)\s+(?:(?P<opens>[\d:]+)\s*-\s*(?P<closes>[\d:]+)|all day)"
        r"(?:\s+(?P<weeks>every .*?|[\w, ]+ of month))?(?:\s+from\s+(?P<start>\S+))?(?:\s+until\s+(?P<end>\S+))?"
    )

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip().lower().replace("\N{EN DASH}", "-")
        if not text:
            return None
        return [] if text == self.CLOSED else super().to_python(text)

    def text(self, entries: list[Json] | None) -> str:
        return self.CLOSED if entries == [] else super().text(entries)

    def entry(self, line: str) -> Json:
        window = self.WINDOW.fullmatch(line)
        if window is None:
            raise ValueError(
                _("“%(text)s” cannot be read. Write it like mon-fri 09:00-17:00 or sat all day.") % {"text": line}
            )
        extensions = _period(window["start"], window["end"])
        extensions += recurrence_extension(recurrence_text.read(window["weeks"])) if window["weeks"] else []
        days = {**({"extension": extensions} if extensions else {}), "daysOfWeek": list(_days(window["days"]))}
        if window["opens"] is None:
            return {**days, "allDay": True}
        times = {"availableStartTime": _time(window["opens"]), "availableEndTime": _time(window["closes"])}
        return {**days, **times}

    def line(self, entry: Json) -> str:
        days = " ".join(_runs(entry.get("daysOfWeek", ())))
        if not days:
            return ""
        named = zip(("from", "until"), period_of(entry), strict=True)
        weeks = recurrence_text.write(weeks_of(entry))
        dated = (f" {weeks}" if weeks else "") + "".join(f" {word} {day}" for word, day in named if day)
        if entry.get("allDay"):
            return f"{days} all day{dated}"
        opens, closes = (entry[name].removesuffix(":00") for name in ("availableStartTime", "availableEndTime"))
        return f"{days} {opens}-{closes}{dated}"


class ClosuresField(LinesField):
    """A field for FHIR notAvailableTime, a line each, such as `2026-12-24 to 2027-01-02: Winter break`."""

    CLOSURE = re.compile(r"(?P<start>\d\S*?)(?:\s+to\s+(?P<end>\d\S*?))?(?::\s+(?P<description>.+))?")

    def entry(self, line: str) -> Json:
        closure = self.CLOSURE.fullmatch(line)
        if closure is None:
            raise ValueError(
                _("“%(text)s” cannot be read. Write it like 2026-12-24 to 2027-01-02: Winter break.") % {"text": line}
            )
        during = {"start": _moment(closure["start"]), "end": _moment(closure["end"] or closure["start"])}
        if during["start"] > during["end"]:
            raise ValueError(_("It ends before it starts."))
        description = {"description": closure["description"]} if closure["description"] else {}
        return {**description, "during": during}

    def line(self, entry: Json) -> str:
        during = entry.get("during", {})
        start, end = during.get("start"), during.get("end")
        if not (start and end):
            return ""
        description = f": {entry['description']}" if entry.get("description") else ""
        return f"{start}{'' if start == end else f' to {end}'}{description}"


class RemindersField(forms.CharField):
    """A field for lengths of time, such as `2 days, 2 hours`. The value is sorted, longest first, each once.

    `none` is an empty list; an empty field is the default reminders.
    """

    NONE = "none"

    UNITS: ClassVar[dict[str, timedelta]] = {
        "week": timedelta(weeks=1),
        "day": timedelta(days=1),
        "hour": timedelta(hours=1),
        "minute": timedelta(minutes=1),
    }
    LENGTH = re.compile(r"(?P<number>[1-9]\d{0,3})\s*(?P<unit>week|day|hour|minute)s?", re.IGNORECASE)
    LONGEST = timedelta(days=365)

    def prepare_value(self, value: Any) -> Any:
        return self.text(value) if isinstance(value, list) else value

    @classmethod
    def text(cls, reminders: list[timedelta]) -> str:
        """Return the reminders as they are typed into the field."""
        return ", ".join(map(cls.words, reminders)) or cls.NONE

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return default_reminders()
        if text.lower() == self.NONE:
            return []
        parts = [part.strip() for part in text.split(",")]
        return sorted({self._length(part) for part in parts if part}, reverse=True)

    def validate(self, value: Any) -> None:
        """Do nothing: `to_python` has validated the value."""

    def run_validators(self, value: Any) -> None:
        """Do nothing: the validators of CharField are for text."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data)

    @classmethod
    def words(cls, length: timedelta) -> str:
        units = cls.UNITS.items()
        unit, unit_length = next((name, size) for name, size in units if not length % size or name == "minute")
        number = length // unit_length
        return f"{number} {unit}" if number == 1 else f"{number} {unit}s"

    def _length(self, text: str) -> timedelta:
        found = self.LENGTH.fullmatch(text)
        if found is None:
            raise ValidationError(
                _("“%(text)s” cannot be read. Write it like 2 days, 3 hours or 30 minutes.") % {"text": text}
            )
        length = int(found["number"]) * self.UNITS[found["unit"].lower()]
        if length > self.LONGEST:
            raise ValidationError(_("“%(text)s” is more than a year before the visit.") % {"text": text})
        return length


class AmountField(forms.DecimalField):
    """A field for an amount of money in the clinic's currency, which is stored in its minor unit."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, min_value=0, **options)

    def prepare_value(self, value: Any) -> Any:
        return money.decimal_of(value, money.clinic_currency()) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        number = super().clean(value)
        try:
            return None if number is None else money.amount_of(number, money.clinic_currency())
        except ValueError:
            example = money.text(4000)
            raise ValidationError(_("Enter an amount such as %(example)s.") % {"example": example}) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def _lines(text: Any) -> list[str]:
    return [line.strip() for line in str(text or "").splitlines() if line.strip()]


def _days(text: str) -> Iterable[str]:
    for part in re.split(r"[ ,]+", text.strip()):
        first, _dash, last = part.partition("-")
        unknown = [day for day in (first, last or first) if day not in WEEKDAYS]
        if unknown:
            raise ValueError(
                _("“%(text)s” is not one of %(words)s.") % {"text": unknown[0], "words": ", ".join(WEEKDAYS)}
            )
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        yield from (WEEKDAYS[(start + step) % 7] for step in range((end - start) % 7 + 1))


def _period(start: str | None, end: str | None) -> list[Json]:
    period = {name: day for name, day in (("start", start), ("end", end)) if day}
    extensions = [{"url": AVAILABILITY_PERIOD, "valuePeriod": period}] if period else []
    period_of({"extension": extensions})
    return extensions


def _runs(days: Iterable[str]) -> Iterable[str]:
    """Yield the days, three or more in a row as `mon-fri`."""
    left = sorted({WEEKDAYS.index(day) for day in days})
    while left:
        length = next((n for n in range(len(left)) if left[n] != left[0] + n), len(left))
        run, left = [WEEKDAYS[day] for day in left[:length]], left[length:]
        yield from [f"{run[0]}-{run[-1]}"] if length > 2 else run


def _time(text: str) -> str:
    try:
        return time.fromisoformat(text.zfill(5)).isoformat()
    except ValueError:
        raise ValueError(_("“%(text)s” is not a time such as 09:00.") % {"text": text}) from None


def _moment(text: str) -> str:
    """Return a FHIR dateTime, which is a day or has an offset. Raises ValueError for other texts."""
    try:
        known = datetime.fromisoformat(text).tzinfo is not None if "T" in text else bool(date.fromisoformat(text))
    except ValueError:
        known = False
    if not known:
        raise ValueError(
            _("“%(text)s” is neither a day such as 2026-12-24 nor 2026-12-24T13:00:00-05:00.") % {"text": text}
        )
    return text


class BornField(forms.CharField):
    """A field for FHIR's birthDate, which may be partial: 1985-03-27, 1985-03 or 1985."""

    PARTIAL = re.compile(r"(?P<year>\d{4})(-(?P<month>0[1-9]|1[0-2]))?")

    def __init__(self) -> None:
        super().__init__(
            label=_("Birth date"),
            required=False,
            widget=AdminDateWidget,
            help_text=_(
                "If the full date is not known, enter the year and the month, such as 1985-03, or only the year."
            ),
        )

    def prepare_value(self, value: Any) -> Any:
        """Return a full date as a date, which the widget writes in the country's order; a partial one as text."""
        return date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value or "") else value

    def clean(self, value: Any) -> str:
        text: str = super().clean(value).strip()
        partial = self.PARTIAL.fullmatch(text)
        day: date | None = None if partial else forms.DateField(required=False).clean(text)
        born = day.isoformat() if day else text
        if born and not "1000" <= born[:4] <= f"{timezone.now().year}":
            raise ValidationError(_("Check the year of birth."))
        return born
