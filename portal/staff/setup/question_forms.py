"""Forms for a questionnaire and for one of its questions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Questionnaire
from portal.staff.setup.forms import RowForm, name_field
from scheduling.questionnaires import question_list
from scheduling.questionnaires.question_list import Json

Status = Questionnaire.Status
STATUSES = (
    (Status.DRAFT.value, gettext_lazy("Not asked yet")),
    (Status.ACTIVE.value, gettext_lazy("Asked before visits")),
    (Status.RETIRED.value, gettext_lazy("Not asked any more")),
)
ONE_OF, SOME_OF = "choice", "choices"
# The kinds of question that can be written here: a type of item, which repeats if several answers can be chosen.
KINDS = {
    "boolean": gettext_lazy("Yes or no"),
    ONE_OF: gettext_lazy("One answer from a list"),
    SOME_OF: gettext_lazy("Several answers from a list"),
    "string": gettext_lazy("A few words"),
    "text": gettext_lazy("A longer text"),
    "integer": gettext_lazy("A whole number"),
    "decimal": gettext_lazy("A number"),
    "date": gettext_lazy("A date"),
    "display": gettext_lazy("Not at all: a text to read"),
}
# Kinds that other software can write, and that stay as they are.
OTHER_KINDS = {
    "group": gettext_lazy("A heading with questions"),
    "open-choice": gettext_lazy("A list, or own words"),
    "quantity": gettext_lazy("A number with a unit"),
    "attachment": gettext_lazy("A file"),
    "dateTime": gettext_lazy("A date and a time"),
    "time": gettext_lazy("A time of day"),
    "url": gettext_lazy("A web address"),
    "reference": gettext_lazy("A record of the clinic"),
}
# Elements that an item keeps only as long as it is answered in the same way.
OF_ITS_KIND = ("answerOption", "answerValueSet", "repeats", "initial", "maxLength")
OF_QUESTIONS = ("required", "readOnly", "code")  # which a text to read does not have
LONGEST = 1000  # characters: what is kept while a page with an error is mended
ALWAYS, KEPT = "", "kept"


class QuestionnaireForm(RowForm):
    """Form for the title of a questionnaire, and if it is asked."""

    COLUMNS = ("title", "status")
    LATER = ("status",)

    title = name_field(gettext_lazy("Title"), gettext_lazy("Enter a title, such as Before your visit."))
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=STATUSES, widget=forms.RadioSelect)


class QuestionForm(RowForm):
    """Form for one question of a questionnaire, new or stored. What it does not show of a stored one stays."""

    text = forms.CharField(
        label=gettext_lazy("Question"),
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": gettext_lazy("Enter the question.")},
    )
    kind = forms.ChoiceField(label=gettext_lazy("How it is answered"))
    options = forms.CharField(
        label=gettext_lazy("Answers in the list"),
        help_text=gettext_lazy("One per line."),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 4}),
    )
    required = forms.BooleanField(label=gettext_lazy("Must be answered"), required=False)
    when = forms.ChoiceField(label=gettext_lazy("When it is asked"), required=False)
    under = forms.ChoiceField(label=gettext_lazy("Under the heading"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, row: Questionnaire, item: Json | None = None) -> None:
        super().__init__(data, row=row)
        self.questionnaire, self.item = row, item
        self.conditions = dict(_conditions(row.item, item))
        kinds: dict[str, Any] = KINDS
        has_other_list = False  # of another system, or too long for the page: it stays as it is
        if item is not None:
            kind, options = kind_of(item), "\n".join(_option_texts(item))
            has_other_list = bool(item.get("answerValueSet")) or len(options) > LONGEST
            if kind not in KINDS or item.get("item") or has_other_list:
                kinds = {kind: KINDS.get(kind) or OTHER_KINDS.get(kind, kind)}
            self.initial["text"] = item.get("text", "")
            self.initial["kind"] = kind
            self.initial["options"] = options
            self.initial["required"] = item.get("required", False)
            self.initial["when"] = self._when(item)
            if len(item.get("text", "")) > LONGEST:
                self.fields["text"].disabled, self.fields["text"].validators = True, []
        if has_other_list or not {ONE_OF, SOME_OF, "open-choice"} & kinds.keys():
            del self.fields["options"]
        if not kinds.keys() - {"group", "display"}:
            del self.fields["required"]
        headings = [(each["linkId"], each.get("text", "")) for each in _headings(row.item)] if item is None else []
        self._choose("kind", list(kinds.items()))
        self._choose("when", self._times())
        self._choose("under", [("", _("None")), *headings])
        if not headings:
            del self.fields["under"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind, options = cleaned.get("kind"), self._options
        if kind in (ONE_OF, SOME_OF) and "options" in self.fields and not options:
            self.add_error("options", _("Enter the answers in the list, one per line."))
        if kind in KINDS and kind not in (ONE_OF, SOME_OF) and options:
            self.add_error("kind", _("You have entered a list of answers: choose a kind with a list, or remove them."))
        if not self.errors and self.item is not None:
            for each in new_faults(self.questionnaire.item, self.items):
                self.add_error("kind" if isinstance(each.answer, bool) else "options", fault_text(each))
        return cleaned

    @property
    def values(self) -> dict[str, Any]:
        return {"item": self.items}

    @property
    def items(self) -> list[Json]:
        """The questions of the questionnaire with this one as entered."""
        if self.item is not None:
            return question_list.replaced(self.questionnaire.item, self._entered(self.item))
        under = self.cleaned_data.get("under")
        heading = question_list.item_named(self.questionnaire.item, under) if under else None
        place = question_list.Place(under, len(heading.get("item", ()))) if under and heading else None
        return question_list.with_question(self.questionnaire.item, self._entered({"linkId": uuid4().hex[:8]}), place)

    @property
    def _options(self) -> list[str]:
        lines = self.cleaned_data.get("options", "").splitlines()
        return list(dict.fromkeys(text for line in lines if (text := _spaced(line))))

    def _entered(self, item: Json) -> Json:
        kind = self.cleaned_data["kind"]
        is_other_kind = "type" not in item or kind != kind_of(item)
        stored = item.get("answerOption", [])
        if is_other_kind:
            item = {name: value for name, value in item.items() if name not in OF_ITS_KIND}
            item |= {"type": ONE_OF if kind == SOME_OF else kind}
        if kind == SOME_OF:
            item = {**item, "repeats": True}
        item = {**item, "text": self.cleaned_data["text"]}
        if self._options and (is_other_kind or self._options != _option_texts({"answerOption": stored})):
            known = {_spaced(option_text(option)): option for option in stored}
            item["answerOption"] = [known.get(text) or {"valueString": text} for text in self._options]
        item = {name: value for name, value in item.items() if kind != "display" or name not in OF_QUESTIONS}
        if (
            "required" in self.fields
            and kind != "display"
            and self.cleaned_data["required"] != item.get("required", False)
        ):
            item["required"] = self.cleaned_data["required"]
        return self._with_condition(item)

    def _with_condition(self, item: Json) -> Json:
        when = self.cleaned_data.get("when", ALWAYS)
        if when == KEPT or (self.item is not None and when == self.initial["when"]):
            return item
        item = {name: value for name, value in item.items() if name not in ("enableWhen", "enableBehavior")}
        return item if when == ALWAYS else {**item, "enableWhen": [self.conditions[when][1]]}

    def _when(self, item: Json) -> str:
        """Return the choice that is the item's condition; KEPT for conditions that are none of the choices."""
        stored = item.get("enableWhen")
        if not stored:
            return ALWAYS
        return next((key for key, (_words, condition) in self.conditions.items() if stored == [condition]), KEPT)

    def _times(self) -> list[tuple[str, Any]]:
        kept = [(KEPT, _("As set by other software"))] if self.initial.get("when") == KEPT else []
        return [(ALWAYS, _("Always")), *kept, *((key, words) for key, (words, _each) in self.conditions.items())]

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """A question in the list: its number, how far it is below others, and when it is asked, in words."""

    item: Json
    depth: int
    kind: Any
    when: str
    is_first: bool
    is_last: bool

    @property
    def link_id(self) -> str:
        return str(self.item["linkId"])

    @property
    def options(self) -> str:
        return ", ".join(_option_texts(self.item))


def question_lines(items: list[Json]) -> Iterator[QuestionLine]:
    """Yield the questions of a questionnaire, each followed by those below it."""
    words = {_key(condition): label for label, condition in dict(_conditions(items, None)).values()}
    return _lines(items, words, 0)


def _lines(items: list[Json], words: Mapping[str, str], depth: int) -> Iterator[QuestionLine]:
    for number, item in enumerate(items):
        conditions = item.get("enableWhen", ())
        when = "; ".join(words.get(_key(each)) or _("As set by other software") for each in conditions)
        is_last = number == len(items) - 1
        yield QuestionLine(item, depth, kind_words(item), when, number == 0, is_last)
        yield from _lines(item.get("item", []), words, depth + 1)


def _key(condition: Json) -> str:
    return repr(sorted(condition.items()))


def kind_of(item: Json) -> str:
    """Return the kind of question that an item is, one of KINDS or its type."""
    return SOME_OF if item["type"] == ONE_OF and item.get("repeats") else str(item["type"])


def kind_words(item: Json) -> Any:
    kind = kind_of(item)
    return KINDS.get(kind) or OTHER_KINDS.get(kind, kind)


def option_text(option: Json) -> str:
    value = question_list.option_value(option)
    return str(value.get("display") or value.get("code") or "") if isinstance(value, dict) else str(value)


def _option_texts(item: Json) -> list[str]:
    return [_spaced(option_text(option)) for option in item.get("answerOption", ())]


def _spaced(text: str) -> str:
    return " ".join(text.split())


def new_faults(before: list[Json], after: list[Json]) -> set[question_list.Broken]:
    """Return the conditions that a change would break."""
    return question_list.broken_conditions(after) - question_list.broken_conditions(before)


def fault_text(fault: question_list.Broken) -> str:
    answer = (_("Yes") if fault.answer else _("No")) if isinstance(fault.answer, bool) else fault.answer
    return _("“%(question)s” is asked only after the answer “%(answer)s”. Change that question first.") % {
        "question": fault.text,
        "answer": answer,
    }


def _headings(items: list[Json]) -> Iterator[Json]:
    return (item for item in question_list.every_item(items) if item["type"] == "group")


def _conditions(items: list[Json], item: Json | None) -> Iterator[tuple[str, tuple[str, Json]]]:
    """Yield each answer that the item can wait for: a key, the words, and FHIR's enableWhen."""
    below = {each["linkId"] for each in question_list.every_item([item])} if item else set()
    for question in question_list.every_item(items):
        link, text = question["linkId"], question.get("text", "")
        if link in below:
            continue
        answers: list[tuple[str, Json]] = []
        if question["type"] == "boolean":
            answers = [(_("Yes"), {"answerBoolean": True}), (_("No"), {"answerBoolean": False})]
        elif question["type"] == ONE_OF:
            answers = [(option_text(option), _as_answer(option)) for option in question.get("answerOption", ())]
        for number, (words, answer) in enumerate(answers):
            label = _("After “%(answer)s” to “%(question)s”") % {"answer": words, "question": text}
            yield f"{link} {number}", (label, {"question": link, "operator": "=", **answer})


def _as_answer(option: Json) -> Json:
    return {f"answer{name.removeprefix('value')}": value for name, value in option.items() if name.startswith("value")}
