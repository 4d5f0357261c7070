"""Folding of names for comparison and search: lower case ASCII without accents, apostrophes and hyphens.

The search for people, the administration, `Patient?name=`, `$match` and the detection of duplicates all use it.
"""

import re
import unicodedata
from collections.abc import Iterator

from anyascii import anyascii

# Unicode has many apostrophes and hyphens: https://www.unicode.org/charts/ lists them at U+02B9, U+2010 and U+2018.
APOSTROPHES = re.compile("['`\u00b4\u02b9\u02bb\u02bc\u02bd\u02c8\u2018\u2019\u201b\u2032\uff07]")
HYPHENS = re.compile(r"[-\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
BETWEEN = re.compile(r"[^a-z0-9]+")


def folded(text: str) -> str:
    """Return a name folded, so that `Núñez O'Hara-Łukasik` becomes `nunez ohara lukasik`."""
    composed = APOSTROPHES.sub("", HYPHENS.sub(" ", unicodedata.normalize("NFC", text)))
    return " ".join(BETWEEN.sub(" ", anyascii(composed).lower()).split())


def joined(text: str) -> str:
    """Return a name as one word, so that `van den Berg`, `Vandenberg` and `van-den-Berg` are the same."""
    return folded(text).replace(" ", "")


def words_of(name: str) -> Iterator[str]:
    """Yield each folded word of a name and its parts at apostrophes, such as `obrien`, `o` and `brien` for O'Brien."""
    for word in name.split():
        parts = folded(APOSTROPHES.sub(" ", word)).split()
        yield from folded(word).split()
        yield from parts
        if len(parts) > 1:
            yield "".join(parts)
