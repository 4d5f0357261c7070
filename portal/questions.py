"""The questions of a visit as pages: which page asks what, and what a page has sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from clinic.fhir.validation import UNSTORABLE
from scheduling import questionnaires
from scheduling.answering import Form
from scheduling.questionnaires import MEGABYTE, MOST_MEGABYTES, Entries, Item, Json, Node, Posted, Problem

SIGNATURES = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@dataclass(frozen=True)
class Part:
    """One page: some items of one questionnaire. `number` counts the pages of all questionnaires of the visit."""

    number: int
    form: Form
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
        """Whether there is anything to show."""
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

    def of(self, form: Form) -> "Part":
        """The same page with other answers."""
        return replace(self, form=form)

    def newly_asked(self, posted: Posted) -> list[Node]:
        """Questions that have only come up by what was sent."""
        return [node for node in self.asked if node.name not in posted.shown]

    def problems_of(self, posted: Posted) -> list[Problem]:
        """What is wrong with the answers to what was asked."""
        asked = (node for node in questionnaires.every(self.nodes) if node.item.is_group or node.name in posted.shown)
        return questionnaires.problems(asked)

    def say_only(self, told: Iterable[Problem]) -> None:
        """Of all that is wrong, show what is told: a question that nobody has been asked yet is not wrong."""
        anchors = {each.anchor for each in told}
        for node in questionnaires.every(self.nodes):
            wrong = [row for row in node.rows if questionnaires.anchor(node, row) in anchors]
            if not wrong:
                node.problem = ""
            for row in node.rows:
                row.error = row.error if row in wrong else ""


def parts_of(forms: Sequence[Form]) -> list[Part]:
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
    """Whether nothing of its questionnaire comes after it."""
    shown = [node.item.link_id for node in part.form.sheet.nodes if node.is_enabled and not node.item.hidden]
    here = {item.link_id for item in part.items}
    return not shown or shown[-1] in here or not any(link in here for link in shown)


def read_post(request: HttpRequest) -> Posted:
    """What a page sent, without characters that nothing can store."""
    names = [name for name in request.POST if name.startswith("q-")]
    typed = {name: [UNSTORABLE.sub("", text) for text in request.POST.getlist(name)] for name in names}
    # An empty file control says nothing about the file that is there already.
    typed = {name: [text for text in texts if text] or [""] for name, texts in typed.items()}
    files: dict[str, Json] = {}
    for name, upload in request.FILES.items():
        if name.startswith("q-") and isinstance(upload, UploadedFile):
            entry = _read_file(upload)
            files[entry["hash"]] = entry
            typed[name] = [entry["hash"]]
    return Posted(typed, frozenset(request.POST.getlist("shown")), files)


def without(posted: Posted, items: tuple[Item, ...], row: str) -> Posted:
    """What was sent, but for one row."""
    left = questionnaires.shrink(items, Entries(posted.typed), row)
    return replace(posted, typed=left.typed)


def with_row(form: Form, row: str) -> Form:
    """With one more row, empty, of what `row` is one of."""
    return form.with_entries(questionnaires.grow(form.items, form.entries, row, form.zone))


def _read_file(upload: "UploadedFile[Any]") -> Json:
    """As FHIR. Its kind is what its first bytes say; one that is too large comes without its data."""
    size = upload.size or 0
    data = upload.read() if size <= MOST_MEGABYTES * MEGABYTE else b""
    media = next((kind for start, kind in SIGNATURES.items() if data.startswith(start)), upload.content_type or "")
    if data and media in SIGNATURES.values() and not any(data.startswith(start) for start in SIGNATURES):
        media = "application/octet-stream"
    title = UNSTORABLE.sub("", upload.name or "").strip() or media
    entry = questionnaires.file_entry(data, media or "application/octet-stream", title)
    return entry if data else {**entry, "size": size, "hash": f"{entry['hash']}{size}"}
