"""Names of form controls, and the position of an answer in its control's name.

A name is `q-`, the linkId in characters that HTML and CSS allow, and an index for each group or answer on the path to
it and for the answer itself: `q-countries.0.2` is the third country of the first journey. A part of an answer has its
own word: `q-born.0.day`. If one control gives several answers, its name lacks the last index.
"""

import re
from collections import Counter
from collections.abc import Iterable

from scheduling.questionnaires.items import MOST_ROWS, Item, walk

Indices = tuple[int, ...]
NAME = re.compile(r"q-(?P<link>[A-Za-z0-9_-]+)(?P<indices>(?:\.\d{1,3})*)(?:\.(?P<part>[a-z]+))?")


def name_of(item: Item, indices: Indices) -> str:
    """The control name of a question at these indices."""
    return joined(link(item.link_id), indices)


def joined(link: str, indices: Indices) -> str:
    return ".".join((f"q-{link}", *map(str, indices)))


def link(link_id: str) -> str:
    """The linkId in characters that names allow; different linkIds stay different."""
    return re.sub(r"[^A-Za-z0-9-]", lambda match: f"_{ord(match[0]):x}_", link_id)


def link_of(key: str) -> str:
    match = NAME.fullmatch(key)
    return match["link"] if match else ""


def indices_of(match: re.Match[str]) -> Indices:
    return tuple(int(each) for each in match["indices"].split(".")[1:])


def rows_of(typed: Iterable[str]) -> Counter[str]:
    """The number of rows of each question and group."""
    rows: Counter[str] = Counter()
    for key in typed:
        if (match := NAME.fullmatch(key)) and (indices := indices_of(match)):
            base = joined(match["link"], indices[:-1])
            rows[base] = max(rows[base], min(indices[-1] + 1, MOST_ROWS))
    return rows


def placed(items: Iterable[Item], name: str) -> tuple[Item | None, Indices]:
    match = NAME.fullmatch(name)
    item = next((each for each in walk(items) if match and link(each.link_id) == match["link"]), None)
    return item, indices_of(match) if match else ()


def question_of(key: str, items: Iterable[Item]) -> str:
    """The name of the node that a control belongs to."""
    item, indices = placed(items, key)
    return "" if item is None else name_of(item, indices if item.is_many else indices[:-1])
