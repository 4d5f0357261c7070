"""The questions of a visit as pages: which page asks what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from scheduling import questionnaires
from scheduling.questionnaire_answers import VisitForm
from scheduling.questionnaires import Item, Node, Posted, Problem


@dataclass(frozen=True)
class Part:
    """One page: some items of one questionnaire. `number` counts the pages of all questionnaires of the visit."""

    number: int
    form: VisitForm
    items: tuple[Item, ...]

    @property
    def nodes(self) -> list[Node]:
        return self.form.sheet.page(self.items)

    @property
    def asked(self) -> list[Node]:
        """The questions that can be answered now."""
        return [node for node in questionnaires.every(self.nodes) if node.is_asked]

    @property
    def has_content(self) -> bool:
        """True if there is anything to show."""
        return any(node.is_enabled and not node.item.hidden for node in self.nodes)

    @property
    def problems(self) -> list[Problem]:
        return questionnaires.problems(questionnaires.every(self.nodes))

    @property
    def hidden(self) -> list[str]:
        """The questions that are not asked because of other answers."""
        return [node.name for node in questionnaires.every(self.nodes) if node.depends and not node.is_enabled]

    @property
    def alarms(self) -> dict[str, str]:
        """What to do, by the question whose answer is an alarm."""
        here = set(questionnaires.every(self.nodes))
        return {node.name: node.red_flag for node in self.form.sheet.red_flags if node in here}

    @property
    def live(self) -> dict[str, Any]:
        """What changes on the page while one types."""
        return {"hidden": self.hidden, "alarms": self.alarms, "calculated": self.calculated}

    @property
    def calculated(self) -> dict[str, str]:
        """The calculated answers in words, by the name of their question."""
        nodes = (node for node in questionnaires.every(self.nodes) if node.item.calculation and node.is_enabled)
        return {
            node.name: ", ".join(
                questionnaires.answer_words(node.item, value, self.form.zone) for value in node.answers
            )
            for node in nodes
        }

    def sent(self, posted: Posted) -> "Part":
        """The same page with what it has sent."""
        return self.of(self.form.with_entries(questionnaires.merge(self.items, self.form.entries, posted)))

    def of(self, form: VisitForm) -> "Part":
        """The same page with other answers."""
        return replace(self, form=form)

    def newly_asked(self, posted: Posted) -> list[Node]:
        """Questions that have only come up by what was sent."""
        return [node for node in self.asked if node.name not in posted.shown]

    def problems_of(self, posted: Posted) -> list[Problem]:
        """What is wrong with the answers to what was asked."""
        asked = (node for node in questionnaires.every(self.nodes) if node.item.is_group or node.name in posted.shown)
        return questionnaires.problems(asked)

    def told_again(self, told: Mapping[str, Sequence[str]]) -> list[Problem]:
        """The problems that a sent page had, by anchor: question and text. A file that was refused is not kept."""
        for node in questionnaires.every(self.nodes):
            for row in node.rows:
                words = told.get(questionnaires.anchor(node, row))
                if words and (row.error or not node.problem):
                    row.error = words[1]
        return [Problem(anchor, *words) for anchor, words in told.items()]

    def say_only(self, told: Iterable[Problem]) -> None:
        """Of all that is wrong, show what is told: a question that nobody has been asked yet is not wrong."""
        anchors = {each.anchor for each in told}
        for node in questionnaires.every(self.nodes):
            wrong = [row for row in node.rows if questionnaires.anchor(node, row) in anchors]
            if not wrong:
                node.problem = ""
            for row in node.rows:
                row.error = row.error if row in wrong else ""


def parts_of(forms: Sequence[VisitForm]) -> list[Part]:
    numbers = count(1)
    return [Part(next(numbers), form, items) for form in forms for items in questionnaires.pages(form.items)]


def to_answer(parts: Sequence[Part]) -> Part:
    """Where to begin: the first page that lacks something; the first page where none does."""
    waiting = (part for part in parts if part.has_content and not part.form.is_done)
    return next((part for part in waiting if part.problems or not part.form.response), first_of(parts))


def first_of(parts: Sequence[Part]) -> Part:
    return next((part for part in parts if part.has_content), parts[0])


def after(parts: Sequence[Part], number: int) -> Part | None:
    return next((part for part in parts if part.number > number and part.has_content), None)


def before(parts: Sequence[Part], number: int) -> Part | None:
    return next((part for part in reversed(parts) if part.number < number and part.has_content), None)


def is_last(part: Part) -> bool:
    """True if nothing of its questionnaire comes after it."""
    shown = [node.item.link_id for node in part.form.sheet.nodes if node.is_enabled and not node.item.hidden]
    here = {item.link_id for item in part.items}
    return not shown or shown[-1] in here or not any(link in here for link in shown)


def with_row(form: VisitForm, row: str) -> VisitForm:
    """With one more row, empty, of what `row` is one of."""
    return form.with_entries(questionnaires.grow(form.items, form.entries, row, form.zone))


def focus(part: Part, added: str, removed: str) -> dict[str, str]:
    """Where the reader goes on: in the new row, or where one could be added again."""
    name = (added or removed).rpartition(".")[0]
    node = next((each for each in questionnaires.every(part.nodes) if each.name == name), None)
    if node is None:
        return {}
    return {"grown": node.rows[-1].name} if added else {"shrunk": node.name}


def in_words(node: Node, zone: ZoneInfo) -> str:
    """The answers to a question as they read; what is no answer yet as it was typed."""
    rows = (
        questionnaires.words_of(row.value, zone) if row.value else " ".join(filter(None, row.typed.values()))
        for row in node.rows
    )
    return ", ".join(filter(None, rows))
