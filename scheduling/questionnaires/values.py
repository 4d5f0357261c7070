"""Values of answers: parsing typed texts into FHIR, writing them back, and comparing them.

Typed texts are given by part: `""` is the only or main part, a date has `day`, `month` and `year`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import regex
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import formats, time_text
from clinic.local_time import read_clock, read_iso
from scheduling.questionnaires.items import Condition, Item, Json, coding_text, unit_text

Typed = Mapping[str, str]
Files = Mapping[str, Json]

OTHER = "+other"  # the key of "something else" among the options
TEXT_LENGTH = 10_000
MEGABYTE = 1024 * 1024
MOST_MEGABYTES = 5
MEDIA = {"application/pdf": "PDF", "image/jpeg": "JPEG", "image/png": "PNG"}
REGEX_SECONDS = 0.1
EXAMPLE = date(1985, 3, 27)
EXAMPLE_CLOCK = time(14, 30)


class InvalidAnswer(Exception):
    """The typed text is not a valid answer; the message says what would be."""


def parse(item: Item, typed: Typed, zone: ZoneInfo, files: Files) -> Json | None:
    """The answer, or None if nothing was typed. Raises InvalidAnswer."""
    if not any(text.strip() for text in typed.values()):
        return None
    if item.options:
        return _chosen(item, typed)
    parsers = {
        "decimal": _decimal,
        "integer": _integer,
        "date": _date,
        "time": _time,
        "url": _url,
        "quantity": _quantity,
    }
    if item.type == "dateTime":
        return _moment(item, typed, zone)
    if item.type == "attachment":
        return {"valueAttachment": _attachment(item, files.get(typed[""]))}
    value = parsers.get(item.type, _string)(item, typed)
    if item.regex and item.type in ("string", "text", "url", "integer", "decimal"):
        _matching(item, typed[""].strip())
    return value


def write(item: Item, value: Json, zone: ZoneInfo) -> dict[str, str]:
    """The texts to type for this answer; the reverse of `parse`."""
    name, content = _pair(value)
    if item.options:
        key = next((option.key for option in item.options if same(option.value, value)), None)
        if key is not None:
            return {"": key}
        return {"": OTHER, "other": words_of(value, zone)} if item.is_open else {"": words_of(value, zone)}
    if name == "valueDate":
        return _date_parts(content)
    if name == "valueDateTime" and "T" in content:
        moment = read_iso(content).astimezone(zone)
        return {**_date_parts(moment.date().isoformat()), "time": _typed_time(moment.time())}
    if name == "valueDateTime":
        return _date_parts(content)
    if name == "valueTime":
        return {"": _typed_time(read_clock(content))}
    if name == "valueQuantity":
        return {"": _digits(content["value"]), "unit": _unit_key(content)} if "value" in content else {"": ""}
    if name == "valueAttachment":
        return {"": content.get("hash", "")}
    return {"": _digits(content) if name in ("valueDecimal", "valueInteger") else words_of(value, zone)}


def answer_words(item: Item | None, value: Json, zone: ZoneInfo) -> str:
    """An answer in words: an option by its label, a number with the unit of its question."""
    option = next((option for option in item.options if option.value == value), None) if item else None
    if option:
        return option.label
    unit = item.unit if item and next(iter(value), "") in ("valueDecimal", "valueInteger") else ""
    return " ".join(filter(None, (words_of(value, zone), unit)))


def words_of(value: Json, zone: ZoneInfo) -> str:
    """An answer in words."""
    name, content = _pair(value)
    match name:
        case "valueBoolean":
            return _("Yes") if content else _("No")
        case "valueDate":
            return time_text.partial_day(content)
        case "valueDateTime" if "T" in content:
            moment = read_iso(content).astimezone(zone)
            return time_text.moment(moment)
        case "valueDateTime":
            return time_text.partial_day(content)
        case "valueTime":
            return formats.clock(read_clock(content))
        case "valueCoding":
            return coding_text(content)
        case "valueReference":
            return str(content.get("display") or content.get("reference", ""))
        case "valueQuantity":
            number = _digits(content["value"]) if "value" in content else ""
            return " ".join(filter(None, (content.get("comparator", ""), number, _unit_key(content))))
        case "valueAttachment":
            return str(content.get("title") or content.get("contentType") or _("File"))
        case "valueDecimal" | "valueInteger":
            return _digits(content)
    return str(content)


def media_of(item: Item) -> list[str]:
    """The allowed media types of a file."""
    return [each for each in MEDIA if each in item.media] or list(MEDIA)


def megabytes_of(item: Item) -> float:
    """The maximum size of a file."""
    return min(float(item.max_size or MOST_MEGABYTES), MOST_MEGABYTES)


def holds(condition: Condition, answers: Sequence[Json]) -> bool:
    """True if the condition holds: https://hl7.org/fhir/R4/valueset-questionnaire-enable-operator.html

    In FHIR, `!=` holds if no answer is equal, so also without any answer.
    """
    expected = condition.expected
    match condition.operator:
        case "exists":
            return bool(answers) == bool(expected.get("valueBoolean", True))
        case "=":
            return any(same(each, expected) for each in answers)
        case "!=":
            return not any(same(each, expected) for each in answers)
    orders = (order(each, expected) for each in answers)
    orders_that_hold = {">": (1,), "<": (-1,), ">=": (0, 1), "<=": (-1, 0)}.get(condition.operator, ())
    return any(each in orders_that_hold for each in orders)


def same(one: Json, other: Json) -> bool:
    if (a := one.get("valueCoding")) is not None:
        return _same_coding(a, other.get("valueCoding"))
    if (a := one.get("valueReference")) is not None:
        b = other.get("valueReference") or {}
        name = "reference" if a.get("reference") and b.get("reference") else "display"
        return bool(a.get(name)) and a.get(name) == b.get(name)
    if "valueBoolean" in one or "valueBoolean" in other:
        return one.get("valueBoolean") is other.get("valueBoolean")
    return order(one, other) == 0


def order(one: Json, other: Json) -> int | None:
    """-1, 0 or 1 if `one` is less than, equal to or greater than the other; None if they cannot be compared."""
    a, b = _measure(one), _measure(other)
    if a is None or b is None or type(a) is not type(b):
        return None
    if isinstance(a, tuple):  # one side is a date: compare by day
        length = min(len(a), len(b))
        a, b = a[:length], b[:length]
    if isinstance(a, _Amount):
        if a.unit and b.unit and a.unit != b.unit:
            return None
        a, b = a.number, b.number
    return int(a > b) - int(a < b)


class _Amount:
    def __init__(self, number: Decimal, unit: str) -> None:
        self.number, self.unit = number, unit


def _pair(value: Json) -> tuple[str, Any]:
    """The name and content of value[x], such as `valueDate` and the date."""
    return next(iter(value.items()), ("", ""))


def _measure(value: Json) -> Any:
    name, content = _pair(value)
    match name:
        case "valueInteger" | "valueDecimal":
            return Decimal(str(content))
        case "valueQuantity" if "value" in content:
            return _Amount(Decimal(str(content["value"])), str(content.get("code") or content.get("unit") or ""))
        case "valueDate":
            return tuple(int(part) for part in content.split("-"))
        case "valueDateTime":
            return _instant(content)
        case "valueTime":
            return read_clock(content)
        case "valueString" | "valueUri":
            return str(content)
    return None


def _instant(content: str) -> tuple[Any, ...]:
    """Year, month and day, and the moment in UTC if it has a time."""
    day, has_time, _rest = content.partition("T")
    parts = tuple(int(part) for part in day.split("-"))
    return (*parts, read_iso(content).timestamp()) if has_time else parts


def _same_coding(a: Json, b: Json | None) -> bool:
    if b is None:
        return False
    if a.get("code") and b.get("code"):
        systems = {a.get("system"), b.get("system")} - {None}
        return a["code"] == b["code"] and len(systems) < 2
    return bool(a.get("display")) and a.get("display") == b.get("display")


def _chosen(item: Item, typed: Typed) -> Json | None:
    key, other = typed.get("", ""), typed.get("other", "").strip()
    if item.is_open and (key == OTHER or (other and not key)):
        if not other:
            raise InvalidAnswer(_("Write your own answer, or choose one from the list."))
        return {"valueString": _fitting(item, other)}
    for option in item.options:
        if option.key == key:
            return option.value
    raise InvalidAnswer(_("Choose one of the answers in the list."))


def _string(item: Item, typed: Typed) -> Json | None:
    text = _fitting(item, typed[""].replace("\r\n", "\n").strip())
    if item.type == "reference":
        return {"valueReference": {"display": text}}
    return {"valueCoding": {"display": text}} if item.type == "choice" else {"valueString": text}


def _fitting(item: Item, text: str) -> str:
    most = min(item.max_length or TEXT_LENGTH, TEXT_LENGTH)
    if len(text) > most:
        raise InvalidAnswer(
            _("Shorten this to %(most)d characters or fewer. It has %(length)d.") % {"most": most, "length": len(text)}
        )
    if item.min_length and len(text) < item.min_length:
        raise InvalidAnswer(_("Write at least %(least)d characters.") % {"least": item.min_length})
    return text


def _matching(item: Item, text: str) -> None:
    """Raise InvalidAnswer if the text does not match FHIR's extension regex.

    A pattern that takes too long is the author's mistake, not the patient's: the answer is accepted.
    """
    try:
        matches = regex.fullmatch(item.regex, text, timeout=REGEX_SECONDS) is not None
    except (TimeoutError, regex.error):
        return
    if not matches and item.entry_format:
        raise InvalidAnswer(_("Enter this as %(format)s.") % {"format": item.entry_format})
    if not matches:
        raise InvalidAnswer(_("This is not written as the clinic expects it. Check it for typing mistakes."))


def _decimal(item: Item, typed: Typed) -> Json | None:
    return {"valueDecimal": _plain(_number(item, typed[""]))}


def _integer(item: Item, typed: Typed) -> Json | None:
    try:
        number = int(_number(item, typed[""], whole=True))
    except OverflowError:
        number = 2**31
    if not -(2**31) <= number < 2**31:
        raise InvalidAnswer(_("This number is too large."))
    return {"valueInteger": number}


def _number(item: Item, text: str, *, whole: bool = False) -> Decimal:
    text = text.strip().replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", "")
    if re.fullmatch(r"-?\d+,(\d{1,2}|\d{4,})", text):  # with three digits after the comma it may mean thousands
        text = text.replace(",", ".")
    example = (
        _("Enter a whole number in digits, such as 12.") if whole else _("Enter a number in digits, such as 36.5.")
    )
    if not re.fullmatch(r"[-+]?\d{1,15}(\.\d{1,15})?", text):
        raise InvalidAnswer(example)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise InvalidAnswer(example) from None
    if len(number.normalize().as_tuple().digits) > 15:
        raise InvalidAnswer(_("Enter a number of at most 15 digits."))
    if whole and number != number.to_integral_value():
        raise InvalidAnswer(example)
    places = -int(number.normalize().as_tuple().exponent)
    if item.max_places is not None and places > item.max_places:
        raise InvalidAnswer(
            ngettext(
                "Enter at most %(count)d decimal place.", "Enter at most %(count)d decimal places.", item.max_places
            )
            % {"count": item.max_places}
        )
    _within(item, number, lambda bound: Decimal(str(bound)), lambda bound: _digits(bound))
    return number


def _quantity(item: Item, typed: Typed) -> Json | None:
    if not typed.get("", "").strip():
        raise InvalidAnswer(_("Enter the number that goes with the unit."))
    quantity: Json = {"value": _plain(_number(item, typed[""]))}
    unit = typed.get("unit", "").strip()
    if not item.units:
        return {"valueQuantity": {**quantity, "unit": _fitting(item, unit)} if unit else quantity}
    known = item.units[0] if len(item.units) == 1 else next((u for u in item.units if unit_text(u) == unit), None)
    if known is None:
        raise InvalidAnswer(_("Choose the unit of the number."))
    quantity["unit"] = unit_text(known)
    return {"valueQuantity": quantity | {name: known[name] for name in ("system", "code") if name in known}}


def _date(item: Item, typed: Typed) -> Json | None:
    return {"valueDate": _day(item, typed)}


def _day(item: Item, typed: Typed) -> str:
    """The FHIR date; only year, or year and month, if no more was typed."""
    day, month, year = (typed.get(name, "").strip() for name in ("day", "month", "year"))
    if not year:
        raise InvalidAnswer(_("Enter the year, and the month and the day if you know them."))
    if day and not month:
        raise InvalidAnswer(_("Enter the month too, or leave the day empty."))
    try:
        parts = tuple(int(part) for part in (year, month, day) if part)
        if parts[0] < 1000:
            raise ValueError
        date(*(*parts, 1, 1)[:3])
    except (ValueError, OverflowError):
        example = {"example": formats.in_numbers(EXAMPLE)}
        raise InvalidAnswer(_("There is no such date. Enter it in numbers, such as %(example)s.") % example) from None
    text = "-".join(f"{part:02}" for part in parts)
    # A bound more precise than the answer cannot exclude it.
    _within(item, text, lambda bound: str(bound)[: len(text)], lambda bound: time_text.partial_day(str(bound)[:10]))
    return text


def _moment(item: Item, typed: Typed, zone: ZoneInfo) -> Json | None:
    clock = typed.get("time", "").strip()
    if not clock:
        return {"valueDateTime": _day(item, typed)}
    if not all(typed.get(name, "").strip() for name in ("day", "month", "year")):
        raise InvalidAnswer(_("Enter the whole date for this time, or leave the time empty."))
    day = date.fromisoformat(_day(replace(item, minimum=None, maximum=None), typed))
    moment = datetime.combine(day, _time_of_day(clock), zone)
    _within(item, moment, lambda bound: _as_moment(bound, zone), lambda bound: words_of({"valueDateTime": bound}, zone))
    return {"valueDateTime": moment.isoformat()}


def _time(item: Item, typed: Typed) -> Json | None:
    clock = _time_of_day(typed[""])
    _within(item, clock, _as_time, lambda bound: formats.clock(_as_time(bound)))
    return {"valueTime": clock.isoformat(timespec="seconds")}


def _time_of_day(text: str) -> time:
    clock = formats.read_clock(text)
    if clock is None:
        raise InvalidAnswer(_("Enter a time such as %(example)s.") % {"example": formats.clock(EXAMPLE_CLOCK)})
    return clock


def _url(item: Item, typed: Typed) -> Json | None:
    text = typed[""].strip()
    if text.lower().startswith("www."):
        text = f"https://{text}"
    wrong = InvalidAnswer(_("Enter a web address, such as https://www.example.org."))
    try:
        parts = urlsplit(text)
    except ValueError:
        raise wrong from None
    is_web = parts.scheme in ("http", "https") and "." in parts.netloc
    if re.search(r"\s", text) or not (is_web or (parts.scheme in ("urn", "mailto", "tel") and parts.path)):
        raise wrong
    return {"valueUri": _fitting(item, text)}


def _attachment(item: Item, attachment: Json | None) -> Json:
    """The file, if its kind and size are allowed. A file without data was refused on upload."""
    most = megabytes_of(item)
    if attachment is None:
        raise InvalidAnswer(_("Choose the file again."))
    if attachment.get("contentType") not in media_of(item):
        kinds = ", ".join(MEDIA[each] for each in media_of(item))
        raise InvalidAnswer(_("Choose a file of one of these kinds: %(kinds)s.") % {"kinds": kinds})
    if attachment.get("size", 0) > most * MEGABYTE:
        raise InvalidAnswer(
            _("Choose a file of at most %(most)s MB. This one has %(size)s MB.")
            % {"most": f"{most:g}", "size": f"{attachment['size'] / MEGABYTE:.1f}"}
        )
    if not (attachment.get("data") or attachment.get("url")):
        raise InvalidAnswer(_("This file is empty. Choose another one."))
    return attachment


def _within(item: Item, value: Any, read: Any, say: Any) -> None:
    """Raise InvalidAnswer if the value is outside FHIR's extensions minValue and maxValue."""
    too_low = item.minimum is not None and value < read(item.minimum)
    too_high = item.maximum is not None and value > read(item.maximum)
    if not (too_low or too_high):
        return
    if item.minimum is not None and item.maximum is not None:
        bounds = {"least": say(item.minimum), "most": say(item.maximum)}
        raise InvalidAnswer(_("Enter a value from %(least)s to %(most)s.") % bounds)
    if too_low:
        raise InvalidAnswer(_("Enter %(least)s or more.") % {"least": say(item.minimum)})
    raise InvalidAnswer(_("Enter %(most)s or less.") % {"most": say(item.maximum)})


def _as_time(bound: Any) -> time:
    return read_clock(str(bound))


def _as_moment(bound: Any, zone: ZoneInfo) -> datetime:
    moment = read_iso(str(bound))
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _plain(number: Decimal) -> int | float:
    """The number as JSON writes it, with fifteen digits."""
    return int(number) if number == number.to_integral_value() else float(number)


def _digits(number: Any) -> str:
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unit_key(quantity: Json) -> str:
    return str(quantity.get("unit") or quantity.get("code") or "")


def _date_parts(text: str) -> dict[str, str]:
    year, month, day = [*text.split("-"), "", ""][:3]
    return {"day": day.lstrip("0"), "month": month.lstrip("0"), "year": year}


def _typed_time(at: time) -> str:
    """The time in the format of the clinic's country, if that can be parsed again."""
    text = formats.clock(at)
    if at.second or formats.read_clock(text) is None:
        return at.isoformat(timespec="seconds" if at.second else "minutes")
    return text
