"""The questions of a visit, divided into pages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from clinic.translations import TranslatedText
from scheduling import questionnaires
from scheduling.questionnaire_answers import AnswerRequest, VisitForm
from scheduling.questionnaires import AnswerProblem, Item, Node, PostedForm


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
    def open_questions(self) -> list[Node]:
        """The questions that are enabled and can be answered."""
        return [node for node in questionnaires.walk_nodes(self.nodes) if node.is_asked]

    @property
    def has_content(self) -> bool:
        """True if there is anything to show."""
        return any(node.is_enabled and not node.item.hidden for node in self.nodes)

    @property
    def problems(self) -> list[AnswerProblem]:
        return questionnaires.problems(questionnaires.walk_nodes(self.nodes))

    @property
    def hidden(self) -> list[str]:
        """The questions that other answers disable."""
        return [node.name for node in questionnaires.walk_nodes(self.nodes) if node.depends and not node.is_enabled]

    @property
    def alarms(self) -> dict[str, TranslatedText]:
        """The texts of red flags, by the name of their question."""
        here = set(questionnaires.walk_nodes(self.nodes))
        return {node.name: node.red_flag for node in self.form.sheet.red_flags if node in here}

    @property
    def live(self) -> dict[str, Any]:
        """The parts of the page that change while somebody types."""
        foreign = {name: text.language for name, text in self.alarms.items() if text.is_foreign}
        return {"hidden": self.hidden, "alarms": self.alarms, "languages": foreign, "calculated": self.calculated}

    @property
    def calculated(self) -> dict[str, str]:
        """The calculated answers in words, by the name of their question."""
        nodes = (node for node in questionnaires.walk_nodes(self.nodes) if node.item.calculation and node.is_enabled)
        return {
            node.name: ", ".join(
                questionnaires.answer_words(node.item, value, self.form.zone) for value in node.answers
            )
            for node in nodes
        }

    def sent(self, posted: PostedForm) -> "Part":
        """Return the page with the posted answers."""
        return self.of(self.form.with_entries(questionnaires.merge(self.items, self.form.entries, posted)))

    def answers(self, posted: PostedForm, *, done: bool = False, version: int | None = None) -> AnswerRequest:
        """Return the request that saves the posted answers."""
        return AnswerRequest(form=self.form, posted=posted, items=self.items, done=done, version=version)

    def of(self, form: VisitForm) -> "Part":
        """Return the page with another form."""
        return replace(self, form=form)

    def new_questions(self, posted: PostedForm) -> list[Node]:
        """Return the questions that the posted answers have enabled."""
        return [node for node in self.open_questions if node.name not in posted.shown]

    def problems_of(self, posted: PostedForm) -> list[AnswerProblem]:
        """Return the problems of the answers to the questions that the page showed."""
        nodes = (
            node for node in questionnaires.walk_nodes(self.nodes) if node.item.is_group or node.name in posted.shown
        )
        return questionnaires.problems(nodes)

    def restore_problems(self, stored: Mapping[str, Sequence[str]]) -> list[AnswerProblem]:
        """Return the problems of a posted page from the session, which has question and text by anchor.

        Problems that the answers still have keep their text in the page's language; a refused file is not kept, so its
        stored text is used.
        """
        for node in questionnaires.walk_nodes(self.nodes):
            for row in node.rows:
                words = stored.get(questionnaires.anchor(node, row))
                if words and (node.item.control == "file" or not (row.error or node.problem)):
                    row.error = words[1]
        here = {problem.anchor: problem for problem in reversed(self.problems)}
        return [here.get(anchor) or AnswerProblem(anchor, *words) for anchor, words in stored.items()]

    def keep_problems(self, problems: Iterable[AnswerProblem]) -> None:
        """Remove all problems but these from the page: a question that was not shown yet has none."""
        anchors = {problem.anchor for problem in problems}
        for node in questionnaires.walk_nodes(self.nodes):
            wrong = [row for row in node.rows if questionnaires.anchor(node, row) in anchors]
            if not wrong:
                node.problem = ""
            for row in node.rows:
                row.error = row.error if row in wrong else ""


def parts_of(forms: Sequence[VisitForm]) -> list[Part]:
    numbers = count(1)
    return [Part(next(numbers), form, items) for form in forms for items in questionnaires.pages(form.items)]


def to_answer(parts: Sequence[Part]) -> Part:
    """Return the first page that lacks an answer, else the first page."""
    waiting = (part for part in parts if part.has_content and not part.form.is_done)
    return next((part for part in waiting if part.problems or not part.form.response), first_of(parts))


def first_of(parts: Sequence[Part]) -> Part:
    return next((part for part in parts if part.has_content), parts[0])


def after(parts: Sequence[Part], number: int) -> Part | None:
    return next((part for part in parts if part.number > number and part.has_content), None)


def before(parts: Sequence[Part], number: int) -> Part | None:
    return next((part for part in reversed(parts) if part.number < number and part.has_content), None)


def is_last(part: Part) -> bool:
    """True if it is the last page of its questionnaire."""
    links = [node.item.link_id for node in part.form.sheet.nodes if node.is_enabled and not node.item.hidden]
    here = {item.link_id for item in part.items}
    return not links or links[-1] in here or not any(link in here for link in links)


def with_row(form: VisitForm, row: str) -> VisitForm:
    """Return the form with one more empty row, of the same kind as `row`."""
    return form.with_entries(questionnaires.add_row(form.items, form.entries, row, form.zone))


def focus(part: Part, added: str, removed: str) -> dict[str, str]:
    """Return where the focus goes: to the new row, or to the button that adds one again."""
    name = (added or removed).rpartition(".")[0]
    node = next((each for each in questionnaires.walk_nodes(part.nodes) if each.name == name), None)
    if node is None:
        return {}
    return {"grown": node.rows[-1].name} if added else {"shrunk": node.name}


def in_words(node: Node, zone: ZoneInfo) -> str:
    """Return the answers to a question in words; incomplete ones as they were typed."""
    rows = (
        questionnaires.words_of(row.value, zone) if row.value else " ".join(filter(None, row.typed.values()))
        for row in node.rows
    )
    return ", ".join(filter(None, rows))
