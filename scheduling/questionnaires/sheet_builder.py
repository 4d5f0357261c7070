"""Builder of a Sheet from entries: enabled questions, parsed answers, problems and calculated values."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinic.translations import Sentence
from scheduling.questionnaires.control_names import NAME, name_of, question_of, rows_of
from scheduling.questionnaires.enable_when import enable
from scheduling.questionnaires.entries import Entries, entries_of, first_entries, typed_values
from scheduling.questionnaires.expressions import calculate
from scheduling.questionnaires.items import Item, Json, walk
from scheduling.questionnaires.sheet import AnswerRow, Node, Sheet, walk_nodes
from scheduling.questionnaires.values import OTHER, InvalidAnswer, parse

ON_ONE_PAGE = 8  # questions, at most, on a form without pages


def fill(items: Iterable[Item], entries: Entries, zone: ZoneInfo, patient: Json | None = None) -> Sheet:
    """The sheet of these entries: enabled questions, problems, and calculated answers.

    `patient` is the FHIR Patient for expressions that use it. Calculated answers can depend on each other and enable
    questions, so they are computed until nothing changes.
    """
    items = tuple(items)
    sheet = _filled(items, entries, zone)
    calculated = [item for item in walk(items) if item.calculation]
    for _pass in calculated:
        given = entries.typed
        entries = _with_calculated(sheet, entries, zone, patient)
        if entries.typed == given:
            break
        sheet = _filled(items, entries, zone)
    return sheet


def _with_calculated(sheet: Sheet, entries: Entries, zone: ZoneInfo, patient: Json | None) -> Entries:
    """The entries with the answers calculated from the sheet."""
    answers = sheet.as_items()
    nodes = [node for node in walk_nodes(sheet.nodes) if node.item.calculation]
    names = {node.name for node in nodes}
    typed = {
        key: texts
        for key, texts in entries.typed.items()
        if question_of(key, [node.item for node in nodes]) not in names
    }
    for node in nodes:
        typed |= typed_values(node.item, node.name, calculate(node.item, answers, patient), zone)
    return Entries(typed, entries.files)


def _filled(items: Iterable[Item], entries: Entries, zone: ZoneInfo) -> Sheet:
    builder = _Builder(entries, zone)
    nodes = builder.nodes(items)
    enable(builder.made)
    for node in builder.made:
        if node.is_enabled and not node.item.read_only and not node.item.hidden:
            node.problem = _problem(node)
        else:
            for row in node.rows:
                row.error = ""
    return Sheet(nodes)


def initial_entries(items: tuple[Item, ...], answers: Iterable[Json] | None, zone: ZoneInfo) -> Entries:
    """The entries that a page starts with: the answers so far, and initial values of questions not asked before."""
    initial = first_entries(items, zone)
    if answers is None:
        return initial
    entries = entries_of(items, answers, zone)
    closed = {node.name for node in walk_nodes(fill(items, entries, zone).nodes) if not node.is_enabled}
    unasked = {key: texts for key, texts in initial.typed.items() if question_of(key, items) in closed}
    return Entries({**unasked, **entries.typed}, entries.files)


def pages(items: tuple[Item, ...]) -> list[tuple[Item, ...]]:
    """The pages of a questionnaire. A short one has one page; a long one has a page for each group, and for items
    between.
    """
    questions = sum(each.is_question and not each.hidden for each in walk(items))
    if questions <= ON_ONE_PAGE:
        return [items]
    found: list[tuple[Item, ...]] = []
    for item in items:
        joins = bool(found) and not item.is_group and not found[-1][-1].is_group
        found[-1:] = [(*found[-1], item)] if joins else [*found[-1:], (item,)]
    return found


class _Builder:
    """Builder of all nodes, enabled or not."""

    def __init__(self, entries: Entries, zone: ZoneInfo) -> None:
        self.entries, self.zone = entries, zone
        self.parts: dict[str, dict[str, str]] = {}
        for key, texts in entries.typed.items():
            if (match := NAME.fullmatch(key)) and texts:
                name = key.removesuffix(f".{match['part']}") if match["part"] else key
                self.parts.setdefault(name, {})[match["part"] or ""] = texts[-1]
        self.rows = rows_of(entries.typed)
        self.made: list[Node] = []

    def nodes(
        self, items: Iterable[Item], parent: Node | None = None, row: AnswerRow | None = None, n: int = 0
    ) -> list[Node]:
        return [self._node(item, parent, row, n) for item in items]

    def _node(self, item: Item, parent: Node | None, row: AnswerRow | None, n: int) -> Node:
        path = (*parent.path, (parent.item.link_id, n)) if parent else ()
        node = Node(item, name_of(item, tuple(index for _link, index in path)), path, len(self.made), parent, row)
        self.made.append(node)
        if item.is_many:
            self._tick(node)
        elif item.type != "display":
            count = max(self.rows[node.name], 1)
            node.rows = [self._row(node, f"{node.name}.{index}") for index in range(count)]
        for index, each in enumerate(node.rows):
            each.nodes = self.nodes(item.items, node, each, index)
        return node

    def _row(self, node: Node, name: str) -> AnswerRow:
        row = AnswerRow(name, dict(self.parts.get(name, {})))
        row.typed.setdefault("", "")
        if node.item.is_question:
            self._parse(node, row)
        return row

    def _tick(self, node: Node) -> None:
        node.keys = self.entries.typed.get(node.name, [])
        node.other = "\n".join(self.entries.typed.get(f"{node.name}.other", []))
        for n, option in enumerate(node.item.options):
            value = option.value if option.key in node.keys else None
            node.rows.append(AnswerRow(f"{node.name}.{n}", value=value, option=option))
        unknown = [key for key in node.keys if key != OTHER and key not in {each.key for each in node.item.options}]
        others = [{"": OTHER, "other": node.other}] if OTHER in node.keys or node.other.strip() else []
        for typed in [*({"": key} for key in unknown), *(others if node.item.is_open else ())]:
            row = AnswerRow(f"{node.name}.{len(node.rows)}", typed)
            self._parse(node, row)
            node.rows.append(row)

    def _parse(self, node: Node, row: AnswerRow) -> None:
        try:
            row.value = parse(node.item, row.typed, self.zone, self.entries.files)
        except InvalidAnswer as wrong:
            row.error = str(wrong)


def _problem(node: Node) -> str:
    """The problem with a question as a whole, or an empty string."""
    item, count = node.item, len(node.answers)
    if item.is_group:
        count = sum(any(each.answers for each in walk_nodes(row.nodes) if each.is_enabled) for row in node.rows)
        return _("Answer at least one of these questions.") if item.required and not count else ""
    if any(row.error for row in node.rows) or item.type == "display":
        return ""
    if item.required and not count:
        return _missing(item)
    exclusive = next((row.option for row in node.rows if row.value and row.option and row.option.is_exclusive), None)
    if exclusive and count > 1:
        return Sentence(_("Choose “%(option)s” alone, or the other answers without it."), option=exclusive.label)
    if count and count < item.least:
        return _("Give at least %(least)d answers.") % {"least": item.least}
    most = item.most if item.repeats else 1
    return _("Give at most %(most)d answers.") % {"most": most} if count > most else ""


def _missing(item: Item) -> str:
    match item.control:
        case "checkboxes":
            return _("Choose at least one answer.")
        case "radios" | "menu":
            return _("Choose an answer.")
        case "date" | "moment":
            return _("Enter a date.")
        case "file":
            return _("Choose a file.")
    return _("Answer this question.")
