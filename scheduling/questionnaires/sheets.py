"""A questionnaire as it is being filled in: which questions are asked now, what was typed, what it means.

Controls have names: `q-`, the question's linkId in letters that HTML and CSS like, and a number for each group or
answer on the way to it and for the answer itself: `q-countries.0.2` is the third country of the first journey. A part
of an answer is one more word: `q-born.0.day`. Where one control gives several answers, its name lacks the last number.
"""

import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha1
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinic.fhir.codes import TYPED
from scheduling.questionnaires.items import MOST_ROWS, Item, Json, Option, walk
from scheduling.questionnaires.values import OTHER, InvalidAnswer, holds, parse, same, write

Indices = tuple[int, ...]
NAME = re.compile(r"q-(?P<link>[A-Za-z0-9_-]+)(?P<indices>(?:\.\d{1,3})*)(?:\.(?P<part>[a-z]+))?")
ON_ONE_PAGE = 8  # questions; more of them make a page for each group


@dataclass(frozen=True)
class Entries:
    """What has been typed, by the names of controls, and the files by their hash."""

    typed: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Posted:
    """What a page sends. `shown` names the questions that it asked; `files` are new ones."""

    typed: dict[str, list[str]]
    shown: frozenset[str]
    files: dict[str, Json] = field(default_factory=dict)


@dataclass
class Row:
    """One answer to a question, or one time through a group."""

    name: str
    typed: dict[str, str] = field(default_factory=dict)
    value: Json | None = None
    error: str = ""
    nodes: "list[Node]" = field(default_factory=list)
    option: Option | None = None

    @property
    def text(self) -> str:
        """What was typed into its only control, or the main one."""
        return self.typed.get("", "")

    @property
    def file(self) -> Json:
        file: Json = (self.value or {}).get("valueAttachment", {})
        return file


@dataclass(eq=False)
class Node:
    """An item in its place. A group can be there several times over, and so can all that is in it."""

    item: Item
    name: str
    path: tuple[tuple[str, int], ...]
    number: int
    parent: "Node | None" = None
    row: Row | None = None
    rows: list[Row] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    other: str = ""
    problem: str = ""
    is_enabled: bool = True

    @property
    def depends(self) -> bool:
        """Whether an answer decides if it is asked."""
        return bool(self.item.conditions) or bool(self.parent and self.parent.item.is_question)

    @property
    def answers(self) -> list[Json]:
        return [row.value for row in self.rows if row.value is not None]

    @property
    def is_asked(self) -> bool:
        """Whether there is something to be filled in."""
        return self.is_enabled and self.item.is_question and not (self.item.hidden or self.item.read_only)

    @property
    def has_problem(self) -> bool:
        return bool(self.problem) or any(row.error for row in self.rows)

    @property
    def can_grow(self) -> bool:
        return self.item.is_repeated and len(self.rows) < self.item.most

    @property
    def red_flag(self) -> str:
        """What to do about an answer that is an alarm; empty where there is none."""
        item = self.item
        if item.red_flag and not item.is_question and item.conditions:
            return item.red_flag
        if item.red_flag and any(each != {"valueBoolean": False} for each in self.answers):
            return item.red_flag
        chosen = (option for option in item.options if any(same(option.value, each) for each in self.answers))
        return next((option.red_flag for option in chosen if option.red_flag), "")


@dataclass(frozen=True)
class Problem:
    """What is wrong with the answer to which question, and the id of its control."""

    anchor: str
    question: str
    text: str


@dataclass(frozen=True)
class Sheet:
    """A whole questionnaire with its answers."""

    nodes: list[Node]

    @cached_property
    def enabled(self) -> list[Node]:
        return [node for node in every(self.nodes) if node.is_enabled]

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
        """The nodes of some of its top items."""
        wanted = {each.link_id for each in items}
        return [node for node in self.nodes if node.item.link_id in wanted]

    def as_items(self) -> list[Json]:
        """QuestionnaireResponse.item: what is asked and answered. What is no answer yet is kept as it was typed."""
        return list(_items(self.nodes))


def every(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for row in node.rows:
            yield from every(row.nodes)


def pages(items: tuple[Item, ...]) -> list[tuple[Item, ...]]:
    """A short questionnaire is one page; a long one has a page for each of its groups, and for what is between."""
    questions = sum(each.is_question and not each.hidden for each in walk(items))
    if questions <= ON_ONE_PAGE:
        return [items]
    found: list[tuple[Item, ...]] = []
    for item in items:
        joins = bool(found) and not item.is_group and not found[-1][-1].is_group
        found[-1:] = [(*found[-1], item)] if joins else [*found[-1:], (item,)]
    return found


def problems(nodes: Iterable[Node]) -> list[Problem]:
    """All that is wrong with them, in the order of the page."""
    found = []
    for node in nodes:
        if not node.is_enabled:
            continue
        wrong = [(row, row.error) for row in node.rows if row.error]
        if node.problem:
            wrong.insert(0, (node.rows[0], node.problem))
        found += [Problem(anchor(node, row), node.item.text, text) for row, text in wrong]
    return found


def anchor(node: Node, row: Row) -> str:
    """The id of the first control of an answer."""
    match node.item.control:
        case "checkboxes":
            return f"{node.name}-0"
        case "radios":
            return f"{row.name}-0"
        case "date" | "moment":
            return f"{row.name}.day"
        case "group":
            return f"{node.name}-group"
    return row.name


def fill(items: Iterable[Item], entries: Entries, zone: ZoneInfo) -> Sheet:
    """Read what was typed, decide what is asked, and say what is wrong with it."""
    builder = _Builder(entries, zone)
    nodes = builder.nodes(items)
    _enable(builder.made)
    for node in builder.made:
        if node.is_enabled and not node.item.read_only and not node.item.hidden:
            node.problem = _problem(node)
        else:
            for row in node.rows:
                row.error = ""
    return Sheet(nodes)


def first_entries(items: Iterable[Item], zone: ZoneInfo, indices: Indices = ()) -> Entries:
    """What the questionnaire itself answers: FHIR's initial values."""
    typed: dict[str, list[str]] = {}
    for item in items:
        base = _name(item, indices)
        if item.is_many:
            for value in item.initial:
                _add_choice(typed, base, write(item, value, zone))
        else:
            for n, value in enumerate(item.initial[: item.most]):
                typed |= _named(f"{base}.{n}", write(item, value, zone))
        typed |= first_entries(item.items, zone, (*indices, 0)).typed
    return Entries(typed)


def entries_of(items: Iterable[Item], answers: Iterable[Json], zone: ZoneInfo) -> Entries:
    """What would have been typed to give these answers, or was."""
    known = {each.link_id: each for each in walk(items)}
    entries = Entries()
    _read(known, answers, (), entries, zone)
    return entries


def opened(items: tuple[Item, ...], answers: Iterable[Json] | None, zone: ZoneInfo) -> Entries:
    """What a page starts from: the answers so far, and initial values where nobody has been asked yet."""
    initial = first_entries(items, zone)
    if answers is None:
        return initial
    entries = entries_of(items, answers, zone)
    closed = {node.name for node in every(fill(items, entries, zone).nodes) if not node.is_enabled}
    unasked = {key: texts for key, texts in initial.typed.items() if _question(key, items) in closed}
    return Entries({**unasked, **entries.typed}, entries.files)


def merge(items: Iterable[Item], entries: Entries, posted: Posted) -> Entries:
    """The entries with those of a page's questions exchanged for what the page sent."""
    asked = {_link(each.link_id): each for each in walk(items)}

    def was_shown(key: str) -> bool:
        item = asked.get(_link_of(key))
        if item is None or item.read_only or item.hidden:
            return False
        return item.is_group or _question(key, (item,)) in posted.shown

    kept = {key: texts for key, texts in entries.typed.items() if not was_shown(key)}
    sent = {key: texts for key, texts in posted.typed.items() if was_shown(key)}
    return Entries({**kept, **sent}, {**entries.files, **posted.files})


def grow(items: Iterable[Item], entries: Entries, name: str, zone: ZoneInfo) -> Entries:
    """One more row of what the row called `name` is one of."""
    item, indices = _placed(items, name)
    if item is None or not indices:
        return entries
    indices = indices[:-1]
    base = _name(item, indices)
    n = max(_rows(entries.typed)[base], 1)
    inside = first_entries(item.items, zone, (*indices, n)).typed
    return Entries({**entries.typed, f"{base}.{n}": ["1" if item.is_group else ""], **inside}, entries.files)


def shrink(items: Iterable[Item], entries: Entries, name: str) -> Entries:
    """Without the row called `name`; those after it move up."""
    item, indices = _placed(items, name)
    if item is None or not indices:
        return entries
    *before, gone = indices
    below = {_link(each.link_id) for each in walk((item,))}
    left: dict[str, list[str]] = {}
    for key, texts in entries.typed.items():
        match = NAME.fullmatch(key)
        at = _indices(match) if match else ()
        inside = match and match["link"] in below and list(at[: len(before)]) == before and len(at) > len(before)
        if not match or not inside:
            left[key] = texts
        elif at[len(before)] != gone:
            moved = at[len(before)] - (at[len(before)] > gone)
            numbers = (*before, moved, *at[len(before) + 1 :])
            left[_joined(match["link"], numbers) + (f".{match['part']}" if match["part"] else "")] = texts
    return Entries(left, entries.files)


def file_entry(data: bytes, media: str, title: str) -> Json:
    """A FHIR Attachment of an uploaded file; its hash is what a form sends for it."""
    digest = b64encode(sha1(data, usedforsecurity=False).digest()).decode()
    entry = {"contentType": media, "title": title[:200], "size": len(data), "hash": digest}
    return {**entry, "data": b64encode(data).decode()} if data else entry


def hash_in_address(digest: str) -> str:
    """A file's hash in letters that an address can have."""
    return b64decode(digest).hex()


class _Builder:
    """Makes the nodes, all of them, whether they are asked or not."""

    def __init__(self, entries: Entries, zone: ZoneInfo) -> None:
        self.entries, self.zone = entries, zone
        self.parts: dict[str, dict[str, str]] = {}
        for key, texts in entries.typed.items():
            if (match := NAME.fullmatch(key)) and texts:
                name = key.removesuffix(f".{match['part']}") if match["part"] else key
                self.parts.setdefault(name, {})[match["part"] or ""] = texts[-1]
        self.rows = _rows(entries.typed)
        self.made: list[Node] = []

    def nodes(
        self, items: Iterable[Item], parent: Node | None = None, row: Row | None = None, n: int = 0
    ) -> list[Node]:
        return [self._node(item, parent, row, n) for item in items]

    def _node(self, item: Item, parent: Node | None, row: Row | None, n: int) -> Node:
        path = (*parent.path, (parent.item.link_id, n)) if parent else ()
        node = Node(item, _name(item, tuple(index for _link, index in path)), path, len(self.made), parent, row)
        self.made.append(node)
        if item.is_many:
            self._tick(node)
        elif item.type != "display":
            count = max(self.rows[node.name], 1)
            node.rows = [self._row(node, f"{node.name}.{index}") for index in range(count)]
        for index, each in enumerate(node.rows):
            each.nodes = self.nodes(item.items, node, each, index)
        return node

    def _row(self, node: Node, name: str) -> Row:
        row = Row(name, dict(self.parts.get(name, {})))
        row.typed.setdefault("", "")
        if node.item.is_question:
            self._parse(node, row)
        return row

    def _tick(self, node: Node) -> None:
        node.keys = self.entries.typed.get(node.name, [])
        node.other = "\n".join(self.entries.typed.get(f"{node.name}.other", []))
        for n, option in enumerate(node.item.options):
            value = option.value if option.key in node.keys else None
            node.rows.append(Row(f"{node.name}.{n}", value=value, option=option))
        unknown = [key for key in node.keys if key != OTHER and key not in {each.key for each in node.item.options}]
        others = [{"": OTHER, "other": node.other}] if OTHER in node.keys or node.other.strip() else []
        for typed in [*({"": key} for key in unknown), *(others if node.item.is_open else ())]:
            row = Row(f"{node.name}.{len(node.rows)}", typed)
            self._parse(node, row)
            node.rows.append(row)

    def _parse(self, node: Node, row: Row) -> None:
        try:
            row.value = parse(node.item, row.typed, self.zone, self.entries.files)
        except InvalidAnswer as wrong:
            row.error = str(wrong)


def _enable(nodes: list[Node]) -> None:
    """Decide which are asked. A circle of conditions asks none of its questions."""
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
    """The linkIds of items that wait, in the end, for themselves."""
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
    """The question with most of its way in common, rather before than after, rather near than far."""

    def nearness(other: Node) -> tuple[int, bool, int]:
        common = next((n for n, (a, b) in enumerate(zip(node.path, other.path, strict=False)) if a != b), None)
        shared = min(len(node.path), len(other.path)) if common is None else common
        is_before = other.number < node.number
        return shared, is_before, other.number if is_before else -other.number

    return max(places, key=nearness, default=None)


def _problem(node: Node) -> str:
    """What is wrong with a question as a whole."""
    item, count = node.item, len(node.answers)
    if item.is_group:
        count = sum(any(each.answers for each in every(row.nodes) if each.is_enabled) for row in node.rows)
        return _("Answer at least one of these questions.") if item.required and not count else ""
    if any(row.error for row in node.rows) or item.type == "display":
        return ""
    if item.required and not count:
        return _missing(item)
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


def _items(nodes: Iterable[Node]) -> Iterator[Json]:
    for node in nodes:
        if not node.is_enabled:
            continue
        head = {"linkId": node.item.link_id, **({"text": node.item.text} if node.item.text else {})}
        if node.item.is_group:
            yield from ({**head, "item": inside} for row in node.rows if (inside := list(_items(row.nodes))))
        elif answers := [answer for row in node.rows if (answer := _answer(row))]:
            yield {**head, "answer": answers}


def _answer(row: Row) -> Json:
    if row.value is None:
        parts = [
            {"url": part or "text", "valueString": text}
            for part, text in row.typed.items()
            if text.strip() and row.error
        ]
        return {"extension": [{"url": TYPED, "extension": parts}]} if parts else {}
    inside = list(_items(row.nodes))
    return {**row.value, **({"item": inside} if inside else {})}


def _read(known: dict[str, Item], answers: Iterable[Json], at: Indices, entries: Entries, zone: ZoneInfo) -> None:
    seen: Counter[str] = Counter()
    for raw in answers:
        item = known.get(str(raw.get("linkId")))
        if item is None:
            continue
        base = _name(item, at)
        if item.is_group:
            n = seen[base]
            seen[base] += 1
            entries.typed[f"{base}.{n}"] = ["1"]
            _read(known, raw.get("item", ()), (*at, n), entries, zone)
            continue
        for n, answer in enumerate(raw.get("answer", ())[:MOST_ROWS]):
            value = _with_hash({name: each for name, each in answer.items() if name.startswith("value")}, entries)
            typed = write(item, value, zone) if value else _as_typed(answer)
            if item.is_many:
                _add_choice(entries.typed, base, typed)
                index = next((i for i, option in enumerate(item.options) if option.key == typed.get("")), n)
            else:
                entries.typed.update(_named(f"{base}.{n}", typed))
                index = n
            _read(known, answer.get("item", ()), (*at, index), entries, zone)


def _with_hash(value: Json, entries: Entries) -> Json:
    """A file is known by its hash from now on."""
    attachment = value.get("valueAttachment")
    if attachment is None:
        return value
    if "hash" not in attachment:
        data = b64decode(attachment.get("data", "")) or str(attachment.get("url", "")).encode()
        digest = b64encode(sha1(data, usedforsecurity=False).digest()).decode()
        attachment = {**attachment, "hash": digest}
    entries.files[attachment["hash"]] = attachment
    return {"valueAttachment": attachment}


def _as_typed(answer: Json) -> dict[str, str]:
    parts = (part for each in answer.get("extension", ()) if each["url"] == TYPED for part in each["extension"])
    return {"" if part["url"] == "text" else part["url"]: part["valueString"] for part in parts}


def _add_choice(typed: dict[str, list[str]], base: str, choice: dict[str, str]) -> None:
    typed.setdefault(base, []).append(choice.get("", ""))
    if "other" in choice:
        typed.setdefault(f"{base}.other", []).append(choice["other"])


def _named(name: str, typed: dict[str, str]) -> dict[str, list[str]]:
    return {f"{name}.{part}" if part else name: [text] for part, text in typed.items()}


def _rows(typed: Iterable[str]) -> Counter[str]:
    """How many rows there are of each question and group."""
    rows: Counter[str] = Counter()
    for key in typed:
        if (match := NAME.fullmatch(key)) and (indices := _indices(match)):
            base = _joined(match["link"], indices[:-1])
            rows[base] = max(rows[base], min(indices[-1] + 1, MOST_ROWS))
    return rows


def _placed(items: Iterable[Item], name: str) -> tuple[Item | None, Indices]:
    match = NAME.fullmatch(name)
    item = next((each for each in walk(items) if match and _link(each.link_id) == match["link"]), None)
    return item, _indices(match) if match else ()


def _question(key: str, items: Iterable[Item]) -> str:
    """The name of the node that a control belongs to."""
    item, indices = _placed(items, key)
    return "" if item is None else _name(item, indices if item.is_many else indices[:-1])


def _name(item: Item, indices: Indices) -> str:
    return _joined(_link(item.link_id), indices)


def _joined(link: str, indices: Indices) -> str:
    return ".".join((f"q-{link}", *map(str, indices)))


def _link(link_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", lambda match: f"_{ord(match[0]):x}_", link_id)


def _link_of(key: str) -> str:
    match = NAME.fullmatch(key)
    return match["link"] if match else ""


def _indices(match: re.Match[str]) -> Indices:
    return tuple(int(each) for each in match["indices"].split(".")[1:])
