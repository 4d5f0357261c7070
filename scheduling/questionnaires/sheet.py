"""Sheet: a questionnaire with its answers, as a tree of nodes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from clinic import formats
from clinic.fhir.codes import TYPED
from clinic.translations import NO_TEXT, TranslatedText
from scheduling.questionnaires.items import Item, Json, Option
from scheduling.questionnaires.values import same


@dataclass
class AnswerRow:
    """One answer to a question, or one repetition of a group."""

    name: str
    typed: dict[str, str] = field(default_factory=dict)
    value: Json | None = None
    error: str = ""
    nodes: "list[Node]" = field(default_factory=list)
    option: Option | None = None

    @property
    def text(self) -> str:
        """The text typed into the only or main control."""
        return self.typed.get("", "")

    @property
    def file(self) -> Json:
        file: Json = (self.value or {}).get("valueAttachment", {})
        return file


@dataclass(eq=False)
class Node:
    """An item at one position. In a repeated group there is one node for each repetition."""

    item: Item
    name: str
    path: tuple[tuple[str, int], ...]
    number: int
    parent: "Node | None" = None
    row: AnswerRow | None = None
    rows: list[AnswerRow] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    other: str = ""
    problem: str = ""
    is_enabled: bool = True

    @property
    def depends(self) -> bool:
        """True if an answer to another question decides if it is enabled."""
        return bool(self.item.conditions) or bool(self.parent and self.parent.item.is_question)

    @property
    def answers(self) -> list[Json]:
        return [row.value for row in self.rows if row.value is not None]

    @property
    def is_asked(self) -> bool:
        """True if the patient can fill it in."""
        return self.is_enabled and self.item.is_question and not (self.item.hidden or self.item.read_only)

    @property
    def has_problem(self) -> bool:
        return bool(self.problem) or any(row.error for row in self.rows)

    @property
    def can_grow(self) -> bool:
        return self.item.is_repeated and len(self.rows) < self.item.most

    @property
    def red_flag(self) -> TranslatedText:
        """The advice about an answer that is an alarm; empty without one."""
        item = self.item
        if item.red_flag and not item.is_question and item.conditions:
            return item.red_flag
        if item.red_flag and any(each != {"valueBoolean": False} for each in self.answers):
            return item.red_flag
        chosen = (option for option in item.options if any(same(option.value, each) for each in self.answers))
        return next((option.red_flag for option in chosen if option.red_flag), NO_TEXT)


@dataclass(frozen=True)
class AnswerProblem:
    """A problem with an answer: the question, the text, and the id of the control."""

    anchor: str
    question: str
    text: str


@dataclass(frozen=True)
class Sheet:
    """A questionnaire with its answers."""

    nodes: list[Node]

    @cached_property
    def enabled(self) -> list[Node]:
        return [node for node in walk_nodes(self.nodes) if node.is_enabled]

    @property
    def is_complete(self) -> bool:
        return not any(node.has_problem for node in self.enabled)

    @property
    def red_flags(self) -> list[Node]:
        return [node for node in self.enabled if node.red_flag]

    @property
    def has_answers(self) -> bool:
        return any(node.answers for node in self.enabled if node.is_asked)

    def page(self, items: Iterable[Item]) -> list[Node]:
        """The nodes of some of the top-level items."""
        links = {each.link_id for each in items}
        return [node for node in self.nodes if node.item.link_id in links]

    def as_items(self) -> list[Json]:
        """The answers as QuestionnaireResponse.item. Invalid texts are kept as they were typed."""
        return list(_items(self.nodes))


def walk_nodes(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for row in node.rows:
            yield from walk_nodes(row.nodes)


def problems(nodes: Iterable[Node]) -> list[AnswerProblem]:
    """Return all problems of the nodes, in the order of the page."""
    found = []
    for node in nodes:
        if not node.is_enabled:
            continue
        wrong = [(row, row.error) for row in node.rows if row.error]
        if node.problem:
            wrong.insert(0, (node.rows[0], node.problem))
        found += [AnswerProblem(anchor(node, row), node.item.text, text) for row, text in wrong]
    return found


def anchor(node: Node, row: AnswerRow) -> str:
    """The id of the first control of an answer."""
    match node.item.control:
        case "checkboxes":
            return f"{node.name}-0"
        case "radios":
            return f"{row.name}-0"
        case "date" | "moment":
            return f"{row.name}.{formats.date_order()[0]}"
        case "group":
            return f"{node.name}-group"
    return row.name


def _items(nodes: Iterable[Node]) -> Iterator[Json]:
    for node in nodes:
        if not node.is_enabled:
            continue
        head = {"linkId": node.item.link_id, **({"text": node.item.text} if node.item.text else {})}
        if node.item.is_group:
            yield from ({**head, "item": inside} for row in node.rows if (inside := list(_items(row.nodes))))
        elif answers := [answer for row in node.rows if (answer := _answer(row))]:
            yield {**head, "answer": answers}


def _answer(row: AnswerRow) -> Json:
    if row.value is None:
        parts = [
            {"url": part or "text", "valueString": text}
            for part, text in row.typed.items()
            if text.strip() and row.error
        ]
        return {"extension": [{"url": TYPED, "extension": parts}]} if parts else {}
    inside = list(_items(row.nodes))
    return {**row.value, **({"item": inside} if inside else {})}
