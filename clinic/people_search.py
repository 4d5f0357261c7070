"""The search for people by typed text: names, birth date, telephone number, email address or record number.

The parts can be in any order and format, and all of them must match. One query, with the index of the search column.
`find_near` finds people although names are misspelt.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import BooleanField, Case, F, Func, IntegerField, Model, Q, QuerySet, Value, When

from clinic import phones
from clinic.folding import APOSTROPHES, HYPHENS, folded, joined
from clinic.models.search_column import EMAIL, IDENTIFIER, NEAR, PHONE, SHORTEST_NEAR, WHOLE, near_forms, quoted

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
COMPARED = 200  # people whose names are compared with what was typed
SHORTEST_BEGINNING = 5  # letters
ADDRESS = re.compile(r"\S+@\S+")
# Digits and what people write between them, with at least four digits.
NUMBER = re.compile(r"[+(]?\d(?:[\s()./-]*\d){3,}(?:\s*(?:x|ext\.?)\s*\d{1,7})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """The parts of a typed search for people. Each date is a tuple of the days that it can mean."""

    words: tuple[str, ...] = ()
    dates: tuple[tuple[date, ...], ...] = ()
    numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


def find(rows: QuerySet[Row], text: str) -> QuerySet[Row]:
    """Return the people who match the typed text, those with exactly this name first."""
    query = parse(text)
    terms = list(_terms(query))
    if not (terms or query.dates or query.numbers):
        return rows.none()
    return rows.filter(_condition(query, " & ".join(terms))).order_by(
        _closeness(query), "family", "given", "birth_date", "pk"
    )


def find_near(rows: QuerySet[Row], text: str, *, most: int) -> list[Row]:
    """Return the people whose names are nearly those that were typed, the most similar first; the rest must match.

    In each name one letter may be missing, wrong, too much or in the wrong place; a name of which only the beginning
    was typed counts too. One query.
    """
    query = parse(text)
    terms = [*filter(None, map(_near_word, query.words)), *_email_terms(query)]
    if not query.words or len(terms) < len(query.words) + len(query.emails):
        return []
    # In the order of `find`, which no index has: PostgreSQL would walk through all people by such an index.
    order = (_closeness(query), "family", "given", "birth_date", "pk")
    found = rows.filter(_condition(query, " & ".join(terms))).order_by(*order)[:COMPARED]
    typed = " ".join(map(folded, query.words))
    return sorted(found, key=lambda row: -_similarity(typed, row))[:most]


def _similarity(typed: str, row: Any) -> float:
    """Return how similar a person's name is to the typed words, in the order in which they fit better."""
    names = (f"{row.given} {row.family}", f"{row.family} {row.given}", row.family, row.given)
    return max(SequenceMatcher(None, typed, folded(name)).ratio() for name in names)


def parse(text: str) -> PeopleQuery:
    """Split the typed text into its parts: dates first, since their digits could be read as a number."""
    rest, dates = _take_dates(phones.clean(text)[:200])
    emails = tuple(email.lower() for email in ADDRESS.findall(rest))
    rest = ADDRESS.sub(" ", rest)
    numbers = tuple(NUMBER.findall(rest))
    return PeopleQuery(tuple(NUMBER.sub(" ", rest).replace(",", " ").split()), dates, numbers, emails)


def lexemes(text: str, weights: str = "") -> str:
    """Return a tsquery for people who have, for each word of the text, a name that begins with it."""
    return " & ".join(filter(None, (_word(word, weights) for word in text.split())))


def named_exactly(name: str) -> Func:
    """Return the condition that a person has exactly this family name, or this whole name in any order."""
    return matches(quoted(f"{WHOLE}{joined(name)}"))


def matches(query: str) -> Func:
    """Return the condition that the search column matches a tsquery."""
    return Func(
        F("search"),
        Value(query),
        template="(%(expressions)s::tsquery)",
        arg_joiner=" @@ ",
        output_field=BooleanField(),
    )


def _matching_condition(tsquery: str) -> Q:
    return Q(matches(tsquery)) if tsquery else Q()


def _condition(query: PeopleQuery, tsquery: str) -> Q:
    """Return the condition of the tsquery and of the numbers and dates."""
    condition = _matching_condition(tsquery)
    for number in query.numbers:
        condition &= _number_condition(number, query)
    for days in query.dates:
        condition &= _birth_date_condition(days, query)
    return condition


def _closeness(query: PeopleQuery) -> Case:
    """Return the rank of a row: 0 if exactly this name matches, 1 if all words do, 2 if only their beginnings do."""
    whole = joined("".join(query.words))
    words = [part for word in query.words for part in folded(word).split()]
    tsqueries = [quoted(f"{WHOLE}{whole}"), " & ".join(map(quoted, words))] if whole else []
    ranks = [When(_matching_condition(tsquery), then=Value(rank)) for rank, tsquery in enumerate(tsqueries)]
    return Case(*ranks, default=Value(2), output_field=IntegerField())


def _terms(query: PeopleQuery) -> Iterator[str]:
    """Yield a tsquery for each word and each email address."""
    for word in query.words:
        identifier = joined(word)
        if identifier:
            yield f"({_word(word)} | {quoted(IDENTIFIER + identifier)}:*)"
    yield from _email_terms(query)


def _email_terms(query: PeopleQuery) -> Iterator[str]:
    for email in query.emails:
        yield f"{quoted(EMAIL + email)}:*"


def _near_word(word: str) -> str:
    """Return the tsquery for names that are nearly this word, or begin so; empty for a word that is too short.

    Beginnings are looked for only by forms that are long enough to mean few people.
    """
    name = joined(word)
    terms = [f"{quoted(name)}:*"] if name and len(name) < SHORTEST_NEAR else []
    for form in near_forms(name):
        terms.append(f"{quoted(NEAR + form)}{':*' if len(form) >= SHORTEST_BEGINNING else ''}")
    return f"({' | '.join(dict.fromkeys(terms))})" if terms else ""


def _number_condition(number: str, query: PeopleQuery) -> Q:
    """Return the condition for a telephone or record number, or for a year of birth if a name is typed too."""
    condition = _matching_condition(f"({' | '.join(sorted(_number(number)))})")
    if not (query.words and YEAR.fullmatch(number)):
        return condition
    return condition | Q(birth_date__year=int(number)) | Q(extra__birthDate__startswith=number)


def _birth_date_condition(days: tuple[date, ...], query: PeopleQuery) -> Q:
    """Return the condition for a birth date on one of the days, or a partial one in them if a name is typed too."""
    born = Q(birth_date__in=days)
    if not query.words:
        return born
    return born | Q(extra__birthDate__in=sorted({f"{day:%Y-%m}" for day in days} | {f"{day:%Y}" for day in days}))


def _word(word: str, weights: str = "") -> str:
    """Return the tsquery for a word of a name: as it is, split at apostrophes, or joined at hyphens."""
    end = f":*{weights}"
    ways = [folded(word).split(), folded(APOSTROPHES.sub(" ", word)).split(), [joined(HYPHENS.sub("", word))]]
    queries = {" & ".join(f"{quoted(part)}{end}" for part in way): None for way in ways if all(way) and way}
    return f"({' | '.join(f'({query})' for query in queries)})" if queries else ""


def _number(number: str) -> set[str]:
    """Return the tsqueries for telephone numbers and record numbers that begin with these digits."""
    digits = "".join(filter(str.isdigit, number))
    whole = phones.dialled(number).removeprefix("+")
    beginnings = {whole} if whole else {digits, digits.lstrip("0") or digits}
    phone_terms = {f"{quoted(PHONE + beginning)}:*" for beginning in beginnings}
    return phone_terms | {f"{quoted(IDENTIFIER + digits)}:*"}


def _take_dates(text: str) -> tuple[str, tuple[tuple[date, ...], ...]]:
    """Return the text without its dates, and for each date the days that it can mean."""
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
    """Yield year, month and day of dates such as 03/04/1985 and 3.4.85, with the day first and with the month first."""
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
    """Return the day of a date with a month's name, such as `20 April 1945` or `20 de abril de 1945`."""
    import dateparser  # type: ignore[import-untyped]  # slow to load, so only when it is needed

    parsed = dateparser.parse(
        text,
        languages=[code.partition("-")[0] for code, _name in settings.LANGUAGES],
        settings={"STRICT_PARSING": True, "REQUIRE_PARTS": ["day", "month", "year"], "PARSERS": ["absolute-time"]},
    )
    return (parsed.date(),) if parsed else ()
