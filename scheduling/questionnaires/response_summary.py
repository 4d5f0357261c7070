"""Responses as staff and patients read them, in the order of the questions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinic.fhir.codes import TYPED
from clinic.models import QuestionnaireResponse
from clinic.translations import base_language, text_of
from scheduling.questionnaires.items import Item, Json, read_items, walk
from scheduling.questionnaires.values import answer_words

Status = QuestionnaireResponse.Status
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class SummaryAnswer:
    """One answer in words. `file` is the hash of an attachment; `is_draft` marks an invalid text."""

    text: str
    file: str = ""
    is_draft: bool = False
    is_alarm: bool = False


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """A question with its answers; without answers it is the heading of a group. `level` is its depth."""

    question: str
    answers: tuple[SummaryAnswer, ...]
    level: int


@dataclass(frozen=True, slots=True)
class ResponseSummary:
    """A response in words, with its title and status."""

    response: QuestionnaireResponse
    title: str
    lines: tuple[SummaryLine, ...]

    @property
    def marker(self) -> str:
        """The unusual status of the response in words; empty for completed answers."""
        return {
            Status.IN_PROGRESS: _("Not finished"),
            Status.AMENDED: _("Changed after booking"),
            Status.STOPPED: _("Stopped: needs attention now"),
            Status.ENTERED_IN_ERROR: _("Entered in error"),
        }.get(Status(self.response.status), "")

    @property
    def tone(self) -> str:
        tones = {Status.IN_PROGRESS: "warn", Status.AMENDED: "info", Status.STOPPED: "bad"}
        return tones.get(Status(self.response.status), "quiet")

    @property
    def icon(self) -> str:
        icons = {Status.IN_PROGRESS: "clock", Status.AMENDED: "info", Status.STOPPED: "missed"}
        return icons.get(Status(self.response.status), "cross")


def summary_of(response: QuestionnaireResponse, zone: ZoneInfo = UTC, language: str = "") -> ResponseSummary:
    """The response in words. A question that the questionnaire no longer has is shown with its text in the response."""
    form = response.questionnaire
    items = read_items(form.item, form.extra.get("contained", ()), language, base=base_language(form)) if form else ()
    known = {each.link_id: each for each in walk(items)}
    lines = tuple(_lines(response.item, known, 0, zone))
    return ResponseSummary(response, text_of(form, "title", language) or (str(form) if form else _("Answers")), lines)


def _lines(answers: Iterable[Json], known: Mapping[str, Item], level: int, zone: ZoneInfo) -> Iterator[SummaryLine]:
    for raw in answers:
        item = known.get(str(raw.get("linkId")))
        if item is not None and item.hidden:
            continue
        question = (item.text if item else "") or str(raw.get("text") or raw.get("linkId", ""))
        given = tuple(each for answer in raw.get("answer", ()) if (each := _given(answer, item, zone)))
        if given or raw.get("item"):
            yield SummaryLine(question, given, level)
        yield from _lines(raw.get("item", ()), known, level + 1, zone)
        for answer in raw.get("answer", ()):
            yield from _lines(answer.get("item", ()), known, level + 1, zone)


def _given(answer: Json, item: Item | None, zone: ZoneInfo) -> SummaryAnswer | None:
    value = {name: each for name, each in answer.items() if name.startswith("value")}
    if not value:
        parts = [part for each in answer.get("extension", ()) if each.get("url") == TYPED for part in each["extension"]]
        return SummaryAnswer(" ".join(part["valueString"] for part in parts), is_draft=True) if parts else None
    option = next((option for option in item.options if option.value == value), None) if item else None
    alarm = bool(option and option.red_flag) or bool(item and item.red_flag and value != {"valueBoolean": False})
    text = answer_words(item, value, zone)
    return SummaryAnswer(text, value.get("valueAttachment", {}).get("hash", ""), is_alarm=alarm)
