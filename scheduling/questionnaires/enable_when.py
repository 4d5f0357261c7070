"""Enabled questions: https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen"""

from collections.abc import Callable, Iterable

from scheduling.questionnaires.items import Json
from scheduling.questionnaires.sheet import Node
from scheduling.questionnaires.values import holds


def enable(nodes: list[Node]) -> None:
    """Set which nodes are enabled. Questions whose conditions form a cycle are disabled."""
    places: dict[str, list[Node]] = {}
    for node in nodes:
        places.setdefault(node.item.link_id, []).append(node)
    circular = _circular(nodes)
    known: dict[Node, bool] = {}

    def is_enabled(node: Node) -> bool:
        if node not in known:
            known[node] = node.item.link_id not in circular and look(node)
        return known[node]

    def look(node: Node) -> bool:
        if node.parent and not is_enabled(node.parent):
            return False
        if node.parent and node.parent.item.is_question and (node.row is None or node.row.value is None):
            return False
        conditions = node.item.conditions
        met: Callable[[Iterable[bool]], bool] = all if node.item.needs_all else any
        return not conditions or met(holds(each, answers(node, each.question)) for each in conditions)

    def answers(node: Node, question: str) -> list[Json]:
        target = _nearest(node, places.get(question, ()))
        return target.answers if target and is_enabled(target) else []

    for node in nodes:
        node.is_enabled = is_enabled(node)


def _circular(nodes: Iterable[Node]) -> set[str]:
    """The linkIds of items whose conditions depend on themselves."""
    waits: dict[str, set[str]] = {}
    for node in nodes:
        on = waits.setdefault(node.item.link_id, set())
        on |= {each.question for each in node.item.conditions} | ({node.parent.item.link_id} if node.parent else set())

    def reached(link: str) -> set[str]:
        seen: set[str] = set()
        todo = list(waits.get(link, ()))
        while todo:
            if (each := todo.pop()) not in seen:
                seen.add(each)
                todo += waits.get(each, ())
        return seen

    return {link for link, on in waits.items() if on and link in reached(link)}


def _nearest(node: Node, places: Iterable[Node]) -> Node | None:
    """The question with the longest common path, preferably before the node, and the closest of those."""

    def nearness(other: Node) -> tuple[int, bool, int]:
        common = next((n for n, (a, b) in enumerate(zip(node.path, other.path, strict=False)) if a != b), None)
        shared = min(len(node.path), len(other.path)) if common is None else common
        is_before = other.number < node.number
        return shared, is_before, other.number if is_before else -other.number

    return max(places, key=nearness, default=None)
