"""People found by what somebody at the desk types: names, birth date, telephone number, email or record number.

In any order and any writing; everything that is typed has to fit. One statement, by the index of the search column.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from django.db.models import BooleanField, Case, F, Func, IntegerField, Model, Q, QuerySet, Value, When

from clinic import phones
from clinic.folding import APOSTROPHES, HYPHENS, folded, joined
from clinic.models.search_column import EMAIL, IDENTIFIER, PHONE, WHOLE, quoted

Row = TypeVar("Row", bound=Model)

ISO = r"\b(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})\b"
NUMBERS = r"\b(?P<a>\d{1,2})(?P<s>[./-]|\s+)(?P<b>\d{1,2})(?P=s)(?P<year>\d{4}|\d{2})\b"
ORDINAL = r"(?:st|nd|rd|th|\.|º|er)?"
MONTH = r"[^\W\d_]{3,12}\.?"
WRITTEN = (
    rf"\b\d{{1,2}}{ORDINAL}\s+(?:de\s+|of\s+)?{MONTH},?\s+(?:de\s+|del\s+)?\d{{4}}\b",
    rf"\b{MONTH}\s+\d{{1,2}}{ORDINAL},?\s+\d{{4}}\b",
)
YEAR = re.compile(r"(?:18|19|20)\d\d")
ADDRESS = re.compile(r"\S+@\S+")
# Digits and what people write between them, with at least four digits.
NUMBER = re.compile(r"[+(]?\d(?:[\s()./-]*\d){3,}(?:\s*(?:x|ext\.?)\s*\d{1,7})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """The parts of a search for patients: words, dates, numbers and addresses."""

    words: tuple[str, ...] = ()
    dates: tuple[tuple[date, ...], ...] = ()
    numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


def find(rows: QuerySet[Row], text: str) -> QuerySet[Row]:
    """Return those of the people who are meant, whoever has exactly this name first."""
    typed = parse(text)
    terms = list(_terms(typed))
    if not (terms or typed.dates or typed.numbers):
        return rows.none()
    condition = _named(" & ".join(terms))
    for number in typed.numbers:
        condition &= _numbered(number, typed)
    for days in typed.dates:
        condition &= _born(days, typed)
    return rows.filter(condition).order_by(_closeness(typed), "family", "given", "birth_date", "pk")


def parse(text: str) -> PeopleQuery:
    """Take apart what was typed: dates first, for their digits could be a number's."""
    rest, dates = _take_dates(phones.clean(text)[:200])
    emails = tuple(each.lower() for each in ADDRESS.findall(rest))
    rest = ADDRESS.sub(" ", rest)
    numbers = tuple(NUMBER.findall(rest))
    return PeopleQuery(tuple(NUMBER.sub(" ", rest).replace(",", " ").split()), dates, numbers, emails)


def lexemes(text: str, weights: str = "") -> str:
    """Return a tsquery for people of whose names every word of the text begins one."""
    return " & ".join(filter(None, (_word(each, weights) for each in text.split())))


def named_exactly(name: str) -> Func:
    """Return the condition that a person has exactly this family name, or this whole name in any order."""
    return matches(quoted(f"{WHOLE}{joined(name)}"))


def matches(query: str) -> Func:
    """Return the condition that the search column fits a tsquery."""
    return Func(
        F("search"),
        Value(query),
        template="(%(expressions)s::tsquery)",
        arg_joiner=" @@ ",
        output_field=BooleanField(),
    )


def _named(query: str) -> Q:
    return Q(matches(query)) if query else Q()


def _closeness(typed: PeopleQuery) -> Case:
    """0 for exactly this name, 1 for all of these words, 2 for their beginnings."""
    whole = joined("".join(typed.words))
    words = [part for word in typed.words for part in folded(word).split()]
    queries = [quoted(f"{WHOLE}{whole}"), " & ".join(map(quoted, words))] if whole else []
    ranks = [When(_named(query), then=Value(rank)) for rank, query in enumerate(queries)]
    return Case(*ranks, default=Value(2), output_field=IntegerField())


def _terms(typed: PeopleQuery) -> Iterator[str]:
    for word in typed.words:
        identifier = joined(word)
        if identifier:
            yield f"({_word(word)} | {quoted(IDENTIFIER + identifier)}:*)"
    for email in typed.emails:
        yield f"{quoted(EMAIL + email)}:*"


def _numbered(number: str, typed: PeopleQuery) -> Q:
    """A telephone or record number; beside a name also the year of birth, which alone would be nearly everybody's."""
    numbered = _named(f"({' | '.join(sorted(_number(number)))})")
    if not (typed.words and YEAR.fullmatch(number)):
        return numbered
    return numbered | Q(birth_date__year=int(number)) | Q(extra__birthDate__startswith=number)


def _born(days: tuple[date, ...], typed: PeopleQuery) -> Q:
    """One of the days; beside a name also a year or a month of theirs, where the clinic knows no more."""
    born = Q(birth_date__in=days)
    if not typed.words:
        return born
    return born | Q(extra__birthDate__in=sorted({f"{day:%Y-%m}" for day in days} | {f"{day:%Y}" for day in days}))


def _word(word: str, weights: str = "") -> str:
    """Return the tsquery for a word of a name: as it is, in its parts, or as one."""
    end = f":*{weights}"
    ways = [folded(word).split(), folded(APOSTROPHES.sub(" ", word)).split(), [joined(HYPHENS.sub("", word))]]
    queries = {" & ".join(f"{quoted(part)}{end}" for part in way): None for way in ways if all(way) and way}
    return f"({' | '.join(f'({query})' for query in queries)})" if queries else ""


def _number(number: str) -> set[str]:
    """Return the words that a telephone number or a record number of digits begins."""
    digits = "".join(filter(str.isdigit, number))
    whole = phones.dialled(number).removeprefix("+")
    typed = {whole} if whole else {digits, digits.lstrip("0") or digits}
    of_phone = {f"{quoted(PHONE + each)}:*" for each in typed}
    of_identifier = {f"{quoted(IDENTIFIER + digits)}:*"}
    return of_phone | of_identifier


def _take_dates(text: str) -> tuple[str, tuple[tuple[date, ...], ...]]:
    """Return the text without its dates, and for each the days that it could mean."""
    found: list[tuple[date, ...]] = []

    def take(match: re.Match[str], days: tuple[date, ...]) -> str:
        if days:
            found.append(days)
            return " "
        return match.group()

    text = re.sub(ISO, lambda one: take(one, _days([(one["y"], one["m"], one["d"])])), text)
    text = re.sub(NUMBERS, lambda one: take(one, _days(_orders(one))), text)
    for pattern in WRITTEN:
        text = re.sub(pattern, lambda one: take(one, _written(one.group())), text, flags=re.IGNORECASE)
    return text, tuple(found)


def _orders(match: re.Match[str]) -> Iterator[tuple[str, str, str]]:
    """Yield year, month and day of 03/04/1985 and 3.4.85: the day first or the month first."""
    years = [match["year"]] if len(match["year"]) == 4 else [f"19{match['year']}", f"20{match['year']}"]
    for year in years:
        yield year, match["b"], match["a"]
        yield year, match["a"], match["b"]


def _days(parts: Any) -> tuple[date, ...]:
    days: dict[date, None] = {}
    for year, month, day in parts:
        try:
            days[date(int(year), int(month), int(day))] = None
        except ValueError:
            continue
    return tuple(days)


def _written(text: str) -> tuple[date, ...]:
    """Return the day of `20 April 1945` or `20 de abril de 1945`. The library is slow to load, so only then."""
    import dateparser  # type: ignore[import-untyped]

    parsed = dateparser.parse(
        text,
        languages=["en", "es"],
        settings={"STRICT_PARSING": True, "REQUIRE_PARTS": ["day", "month", "year"], "PARSERS": ["absolute-time"]},
    )
    return (parsed.date(),) if parsed else ()
