"""Items of a Questionnaire: https://hl7.org/fhir/R4/questionnaire.html"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from clinic.translations import NO_TEXT, TranslatedText, red_flag_in, text_in

Json = dict[str, Any]
Variables = tuple[tuple[str, str], ...]

STANDARD = "http://hl7.org/fhir/StructureDefinition"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire"
MAX_BUTTONS = 7  # options shown as buttons; more become a menu
MOST_ROWS = 20  # answers of a question or repetitions of a group, at most


class Languages(NamedTuple):
    """The reader's language and the questionnaire's own."""

    wanted: str
    base: str


@dataclass(frozen=True, slots=True)
class Option:
    """An answer option. `key` is what a form sends for it, `value` the FHIR element with its name."""

    key: str
    label: str
    value: Json
    is_initial: bool = False
    red_flag: TranslatedText = NO_TEXT
    is_exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """A FHIRPath expression of a questionnaire, with the variables that it may use, in order."""

    path: str
    variables: Variables = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A FHIR enableWhen condition. `expected` is its answer[x] as value[x]."""

    question: str
    operator: str
    expected: Json


@dataclass(frozen=True, slots=True)
class Item:
    """A question, a group, or a text between questions, with its rules.

    `control` names the form control; `is_many` means that one control gives several answers. `red_flag` is the advice
    to show if the item is answered (a yes-or-no question: with yes) or, for a text, shown.
    """

    link_id: str
    type: str
    text: str
    prefix: str
    hint: str
    control: str
    items: "tuple[Item, ...]"
    options: tuple[Option, ...]
    initial: tuple[Json, ...]
    conditions: tuple[Condition, ...]
    needs_all: bool
    units: tuple[Json, ...]
    required: bool
    repeats: bool
    read_only: bool
    hidden: bool
    sideways: bool
    max_length: int | None
    min_length: int | None
    minimum: Any
    maximum: Any
    max_places: int | None
    max_size: float | None
    media: tuple[str, ...]
    least: int
    most: int
    red_flag: TranslatedText
    regex: str
    entry_format: str
    initial_expression: Expression | None
    calculation: Expression | None

    @property
    def is_group(self) -> bool:
        return self.type == "group"

    @property
    def is_question(self) -> bool:
        return self.type not in ("group", "display")

    @property
    def is_open(self) -> bool:
        """True if the answer may also be free text."""
        return self.type == "open-choice" and bool(self.options)

    @property
    def can_alarm(self) -> bool:
        return self.is_question and bool(self.red_flag or any(each.red_flag for each in self.options))

    @property
    def is_many(self) -> bool:
        return self.control == "checkboxes"

    @property
    def is_fieldset(self) -> bool:
        """True if the question has several controls."""
        return self.is_repeated or self.control in ("radios", "checkboxes", "date", "moment")

    @property
    def is_repeated(self) -> bool:
        """True if the form can have several rows of it."""
        return self.repeats and not self.is_many

    @property
    def unit(self) -> str:
        """The unit shown beside the number, if there is only one."""
        return unit_text(self.units[0]) if len(self.units) == 1 else ""


def read_items(
    items: Iterable[Json],
    contained: Iterable[Json] = (),
    language: str = "",
    extensions: Iterable[Json] = (),
    *,
    base: str = "",
) -> tuple[Item, ...]:
    """The items of a questionnaire in `language`, as far as it is translated from its own language, `base`.

    `contained` are its ValueSets; `extensions` are those of the questionnaire itself, for the variables of expressions.
    """
    sets = {f"#{each['id']}": each for each in contained if each.get("resourceType") == "ValueSet" and "id" in each}
    reader = _Reader(sets, Languages(language or base or settings.LANGUAGE_CODE, base))
    variables = _variables({"extension": list(extensions)})
    return tuple(reader.item(raw, variables) for raw in items)


def walk(items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        yield from walk(item.items)


def unit_text(unit: Mapping[str, Any]) -> str:
    return str(unit.get("display") or unit.get("code") or "")


def coding_text(coding: Mapping[str, Any]) -> str:
    return str(coding.get("display") or coding.get("code") or "")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Parser for the items of one questionnaire, with its ValueSets by reference and the languages."""

    sets: Mapping[str, Json]
    languages: Languages

    def item(self, raw: Json, variables: Variables) -> Item:
        """The parsed item with its children; `variables` are those of enclosing items."""
        languages = self.languages
        kind = str(raw.get("type", "string"))
        variables = (*variables, *_variables(raw))
        options = _options(raw, kind, self.sets, languages)
        children = raw.get("item", ())
        hints = [child for child in children if kind != "group" and child.get("type") == "display" and _is_plain(child)]
        hints_text = [_text(child, "text", languages) for child in hints]
        entry_format = str(_extension(raw, "entryFormat") or "")
        least = _extension(raw, "questionnaire-minOccurs") or 0
        calculation = _expression(raw, "calculatedExpression", variables)
        return Item(
            link_id=str(raw.get("linkId", "")),
            type=kind,
            text=_text(raw, "text", languages),
            prefix=_text(raw, "prefix", languages),
            hint=TranslatedText(
                " ".join(filter(None, (*hints_text, entry_format))),
                hints_text[0].language if hints_text else languages.wanted,
            ),
            control=_control(raw, kind, options),
            items=tuple(self.item(child, variables) for child in children if child not in hints),
            options=options,
            initial=_initial(raw, options),
            conditions=tuple(_condition(condition) for condition in raw.get("enableWhen", ())),
            needs_all=raw.get("enableBehavior") == "all",
            units=_units(raw),
            required=bool(raw.get("required")) or least > 0,
            repeats=bool(raw.get("repeats")) and kind not in ("boolean", "display"),
            read_only=bool(raw.get("readOnly")) or calculation is not None,
            hidden=bool(_extension(raw, "questionnaire-hidden")),
            sideways=_extension(raw, "questionnaire-choiceOrientation") == "horizontal",
            max_length=raw.get("maxLength"),
            min_length=_extension(raw, "minLength"),
            minimum=_extension(raw, "minValue"),
            maximum=_extension(raw, "maxValue"),
            max_places=_extension(raw, "maxDecimalPlaces"),
            max_size=_extension(raw, "maxSize"),
            media=tuple(_extensions(raw, f"{STANDARD}/mimeType")),
            least=least,
            most=min(_extension(raw, "questionnaire-maxOccurs") or MOST_ROWS, MOST_ROWS),
            red_flag=_red_flag(raw, languages),
            regex=str(_extension(raw, "regex") or ""),
            entry_format=entry_format,
            initial_expression=_expression(raw, "initialExpression", variables),
            calculation=calculation,
        )


def _variables(raw: Json) -> Variables:
    """The variables of a questionnaire or an item: https://hl7.org/fhir/R4/extension-variable.html"""
    found = _extensions(raw, f"{STANDARD}/variable")
    return tuple(
        (str(value["name"]), str(value["expression"])) for value in found if {"name", "expression"} <= {*value}
    )


def _expression(raw: Json, name: str, variables: Variables) -> Expression | None:
    """The expression in an SDC extension: https://hl7.org/fhir/uv/sdc/STU3/behavior.html#calculations"""
    value = next(_extensions(raw, f"{SDC}-{name}"), None)
    path = str((value or {}).get("expression", ""))
    return Expression(path, variables) if path else None


def _control(raw: Json, kind: str, options: tuple[Option, ...]) -> str:
    if options:
        if raw.get("repeats") and kind != "boolean":
            return "checkboxes"
        control = _item_control(raw)
        if control in ("drop-down", "autocomplete"):
            return "menu"
        return "radios" if len(options) <= MAX_BUTTONS or control == "radio-button" else "menu"
    return {
        "group": "group",
        "display": "display",
        "text": "lines",
        "date": "date",
        "dateTime": "moment",
        "quantity": "quantity",
        "attachment": "file",
    }.get(kind, "line")


def _options(raw: Json, kind: str, sets: Mapping[str, Json], languages: Languages) -> tuple[Option, ...]:
    if kind == "boolean":
        answers = ((_("Yes"), True), (_("No"), False))
        return tuple(Option(str(value).lower(), label, {"valueBoolean": value}) for label, value in answers)
    listed = [_option(each, languages) for each in raw.get("answerOption", ())]
    if not listed:
        listed = [_of_coding(each, languages) for each in _codings(sets.get(raw.get("answerValueSet", ""), {}))]
    keys = [option.key for option in listed]
    return tuple(
        option if keys.count(option.key) == 1 else replace(option, key=f"{n}:{option.key}")
        for n, option in enumerate(listed)
    )


def _option(raw: Json, languages: Languages) -> Option:
    name, value = next((name, value) for name, value in raw.items() if name.startswith("value"))
    rules: dict[str, Any] = {
        "is_initial": bool(raw.get("initialSelected")),
        "red_flag": _red_flag(raw, languages),
        "is_exclusive": bool(_extension(raw, "questionnaire-optionExclusive")),
    }
    if name == "valueCoding":
        return replace(_of_coding(value, languages), **rules)
    if name == "valueReference":
        label = _text(value, "display", languages) or str(value.get("reference", ""))
        return Option(str(value.get("reference") or label), label, {name: value}, **rules)
    label = _text({"value": value, "_value": raw.get(f"_{name}", {})}, "value", languages)
    return Option(str(value), label, {name: value}, **rules)


def _of_coding(coding: Json, languages: Languages) -> Option:
    label = _text(coding, "display", languages) or coding_text(coding)
    return Option(str(coding.get("code") or label), label, {"valueCoding": coding})


def _codings(value_set: Json) -> Iterator[Json]:
    """The codings listed in a contained ValueSet or in its expansion."""
    for include in value_set.get("compose", {}).get("include", ()):
        system = {"system": include["system"]} if "system" in include else {}
        for each in include.get("concept", ()):
            yield {**system, **{name: each[name] for name in ("code", "display", "_display") if name in each}}
    for each in value_set.get("expansion", {}).get("contains", ()):
        yield {name: each[name] for name in ("system", "code", "display") if name in each}


def _initial(raw: Json, options: tuple[Option, ...]) -> tuple[Json, ...]:
    chosen = tuple(option.value for option in options if option.is_initial)
    return chosen or tuple(
        {name: value for name, value in each.items() if name.startswith("value")} for each in raw.get("initial", ())
    )


def _condition(raw: Json) -> Condition:
    expected = {f"value{name.removeprefix('answer')}": raw[name] for name in raw if name.startswith("answer")}
    return Condition(str(raw.get("question")), str(raw.get("operator")), expected)


def _units(raw: Json) -> tuple[Json, ...]:
    choices = tuple(_extensions(raw, f"{STANDARD}/questionnaire-unitOption"))
    return choices or tuple(_extensions(raw, f"{STANDARD}/questionnaire-unit"))


def _is_plain(raw: Json) -> bool:
    """True if the text is always shown and is no warning."""
    return not raw.get("enableWhen") and not red_flag_in(raw)


def _item_control(raw: Json) -> str:
    concept = _extension(raw, "questionnaire-itemControl") or {}
    return next((str(each.get("code")) for each in concept.get("coding", ())), "")


def _red_flag(raw: Json, languages: Languages) -> TranslatedText:
    found = red_flag_in(raw)
    return _text(*found, languages) if found else NO_TEXT


def _extension(raw: Json, name: str) -> Any:
    return next(iter(_extensions(raw, f"{STANDARD}/{name}")), None)


def _extensions(raw: Json, url: str) -> Iterator[Any]:
    for extension in raw.get("extension", ()):
        if extension.get("url") == url:
            yield from (value for name, value in extension.items() if name.startswith("value"))


def _text(raw: Json, name: str, languages: Languages) -> TranslatedText:
    """A string, translated if possible."""
    return text_in(raw, name, *languages)
