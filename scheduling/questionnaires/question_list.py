"""Changes of a questionnaire's list of questions: add, replace, move and remove one. Each returns a new list.

A question is named by its linkId, wherever it stands: https://hl7.org/fhir/R4/questionnaire.html
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

Json = dict[str, Any]


class Place(NamedTuple):
    """Position of a question: below this one (empty: below none), and its number there, from 0 on."""

    under: str
    number: int


class Broken(NamedTuple):
    """A condition that can never be met: the question that has it, and the answer that it waits for."""

    link_id: str
    text: str
    answer: Any


def every_item(items: Iterable[Json]) -> Iterator[Json]:
    """Yield each item, and those below it."""
    for item in items:
        yield item
        yield from every_item(item.get("item", ()))


def item_named(items: Iterable[Json], link_id: str) -> Json | None:
    return next((item for item in every_item(items) if item["linkId"] == link_id), None)


def with_question(items: list[Json], item: Json, place: Place | None = None) -> list[Json]:
    """Return the list with one more question, at the end or at this place."""
    items = deepcopy(items)
    under = item_named(items, place.under) if place and place.under else None
    siblings = items if under is None else under.setdefault("item", [])
    siblings.insert(place.number if place else len(siblings), item)
    return items


def replaced(items: list[Json], item: Json) -> list[Json]:
    """Return the list with this item in place of the one with its linkId."""
    items = deepcopy(items)
    siblings, place = _siblings(items, item["linkId"])
    siblings[place.number] = item
    return items


def moved(items: list[Json], link_id: str, steps: int) -> list[Json]:
    """Return the list with a question some steps further down, among those beside it; up if `steps` is negative."""
    items = deepcopy(items)
    siblings, place = _siblings(items, link_id)
    siblings.insert(max(0, place.number + steps), siblings.pop(place.number))
    return items


def removed(items: list[Json], link_id: str) -> tuple[list[Json], Place]:
    """Return the list without a question and those below it, and where it stood.

    A heading without questions would not be valid: it goes with the last one, and the place is the heading's.
    """
    items = deepcopy(items)
    siblings, place = _siblings(items, link_id)
    siblings.pop(place.number)
    if not siblings and (under := item_named(items, place.under)):
        if under["type"] == "group":
            return removed(items, place.under)
        del under["item"]
    return items, place


def broken_conditions(items: list[Json]) -> set[Broken]:
    """Return the conditions whose question is not there, or does not have the answer that they wait for."""
    return {
        Broken(item["linkId"], str(item.get("text", item["linkId"])), _frozen(_answer_of(condition)))
        for item in every_item(items)
        for condition in item.get("enableWhen", ())
        if not _can_be_met(condition, item_named(items, condition["question"]))
    }


def option_value(option: Json) -> Any:
    """Return the value[x] of an answerOption."""
    return next((value for name, value in option.items() if name.startswith("value")), None)


def _siblings(items: list[Json], link_id: str, under: str = "") -> tuple[list[Json], Place]:
    found = _found(items, link_id, under)
    if found is None:
        raise KeyError(link_id)
    return found


def _found(items: list[Json], link_id: str, under: str) -> tuple[list[Json], Place] | None:
    for number, item in enumerate(items):
        if item["linkId"] == link_id:
            return items, Place(under, number)
        if found := _found(item.get("item", []), link_id, item["linkId"]):
            return found
    return None


def _can_be_met(condition: Json, question: Json | None) -> bool:
    if question is None:
        return False
    if condition["operator"] != "=":
        return True
    answer = _answer_of(condition)
    if question["type"] == "boolean" or isinstance(answer, bool):
        return question["type"] == "boolean" and isinstance(answer, bool)
    options = question.get("answerOption")
    return not options or question["type"] != "choice" or any(_same(answer, option_value(each)) for each in options)


def _answer_of(condition: Json) -> Any:
    return next((value for name, value in condition.items() if name.startswith("answer")), None)


def _same(answer: Any, option: Any) -> bool:
    if isinstance(answer, dict) and isinstance(option, dict):
        return all(answer.get(name) == option.get(name) for name in ("system", "code"))
    return bool(answer == option)


def _frozen(answer: Any) -> Any:
    """Return the answer in words, if it is a coding."""
    return answer.get("display") or answer.get("code") if isinstance(answer, dict) else answer
