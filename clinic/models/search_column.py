"""The search column of a person: the words by which staff can find them (clinic.people_search).

A tsvector that Python fills, since PostgreSQL cannot fold every script: https://www.postgresql.org/docs/16/datatype-textsearch.html
Words of the family name have weight A, of given names B, of the rest of a name C. Words that are not part of a name
begin with a mark: `@` for email addresses, `+` for phone numbers, `#` for identifiers, `=` for whole names, `~` for the
forms of a name by which it is found although one letter is missing, wrong, too much or in the wrong place.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from clinic import phones
from clinic.folding import folded, joined, words_of

WHOLE, EMAIL, PHONE, IDENTIFIER, NEAR = "=", "@", "+", "#", "~"
LONGEST, MOST = 100, 400  # letters of a word, words of a person
SHORTEST_NEAR, LONGEST_NEAR = 4, 20  # letters of a word that is found with a mistake in it
# The columns from which the search column is computed.
SOURCES = frozenset({"family", "given", "prefix", "phone", "email", "identifier", "extra"})

NameParts = Iterable[tuple[str, str, str]]


def search_column_value(person: Any) -> str:
    """Return the value of the search column for a Patient, Practitioner or RelatedPerson."""
    lexemes: dict[str, str] = {}
    for word, weight in _words(person):
        if word and (word not in lexemes or weight < lexemes[word]):
            lexemes[word] = weight
    return " ".join(f"{quoted(word)}:1{weight}" for word, weight in list(lexemes.items())[:MOST])


def near_forms(word: str) -> Iterator[str]:
    """Yield a folded word and each form of it without one letter; nothing for a short or a very long word.

    Two words that differ by one letter, or by two that changed places, have a form in common.
    """
    if SHORTEST_NEAR <= len(word) <= LONGEST_NEAR:
        yield word
        for at in range(len(word)):
            yield word[:at] + word[at + 1 :]


def quoted(word: str) -> str:
    """Return a word quoted for a tsvector or a tsquery."""
    escaped = word[:LONGEST].replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _words(person: Any) -> Iterator[tuple[str, str]]:
    for family, given, rest in _names(person):
        yield from _whole(family, given)
        for text, weight in ((family, "A"), (given, "B"), (rest, "C")):
            for word in words_of(text):
                yield word, weight
        yield joined(family), "A"
    yield from _contacts(person)
    for family, given, _rest in _names(person):
        for word in {joined(family), *words_of(family), *words_of(given)}:
            for form in near_forms(word):
                yield f"{NEAR}{form}", "D"


def _contacts(person: Any) -> Iterator[tuple[str, str]]:
    for number in _values(person, ("phone", "sms"), person.phone):
        for ending in phones.endings(number):
            yield f"{PHONE}{ending}", "D"
    for address in _values(person, ("email",), person.email):
        yield f"{EMAIL}{address.strip().lower()}", "D"
    for identifier in person.identifier or ():
        value = str(identifier.get("value") or "") if isinstance(identifier, dict) else ""
        for word in {joined(value), *folded(value).split()}:
            yield f"{IDENTIFIER}{word}" if word else "", "D"


def _names(person: Any) -> NameParts:
    """Yield family name, given names and the rest of each name: the one in columns, then all others that were sent."""
    yield person.family, person.given, person.prefix
    for name in person.extra.get("name") or ():
        if isinstance(name, dict):
            given = " ".join(filter(None, name.get("given") or ()))
            rest = [*(name.get("prefix") or ()), *(name.get("suffix") or ()), name.get("text") or ""]
            yield name.get("family") or "", given, " ".join(filter(None, rest))


def _whole(family: str, given: str) -> Iterator[tuple[str, str]]:
    """Yield the whole name in several orders, so that an exact match can be listed first."""
    last, first = joined(family), joined(given)
    usual = joined(given.split()[0]) if given.split() else ""
    for whole in {last, first + last, last + first, usual + last, last + usual}:
        yield f"{WHOLE}{whole}" if whole else "", "D"


def _values(person: Any, systems: tuple[str, ...], column: str) -> set[str]:
    points = [point for point in person.extra.get("telecom") or () if isinstance(point, dict)]
    sent = (str(point.get("value") or "") for point in points if point.get("system") in systems)
    return {value for value in (column, *sent) if value}
