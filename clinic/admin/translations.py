"""Form fields for translations of the clinic's own texts, one for each text and language."""

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from django import forms
from django.utils.text import capfirst

from clinic import translations
from clinic.models import Questionnaire, Resource

if TYPE_CHECKING:
    ModelForm: TypeAlias = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm

Json = dict[str, Any]
NO_OPTION = -1


class Place(NamedTuple):
    """The place of a text in a questionnaire: its question or option, and if it says what to do about an alarm."""

    link_id: str
    option: int = NO_OPTION
    is_alarm: bool = False


class Translatable(NamedTuple):
    """A text of a row that can be translated: the name and label of its form field, and its column."""

    field: str
    label: str
    column: str
    is_long: bool
    at: Place | None = None


def translatable(row: Resource) -> list[Translatable]:
    """Return the texts of a row that can be translated."""
    found = []
    for column in row.TRANSLATED:
        of_model = row._meta.get_field(column)
        label = capfirst(str(of_model.verbose_name))  # type: ignore[union-attr]
        found.append(Translatable(column, label, column, of_model.get_internal_type() == "TextField"))
    if isinstance(row, Questionnaire):
        for number, (at, text) in enumerate(_questions(row.item)):
            found.append(Translatable(f"question_{number}", text, "item", True, at))
    return found


def field_names(row: Resource) -> list[str]:
    languages = translations.other_languages(row)
    return [f"{text.field}_{code}" for text in translatable(row) for code, _name in languages]


def translated_form(form: type[ModelForm], row: Resource) -> type[ModelForm]:
    """Return the form with a field for each text of the row in each other language."""
    fields: dict[str, Any] = {
        f"{text.field}_{code}": forms.CharField(
            label=f"{text.label} ({name})",
            required=False,
            max_length=None if text.is_long else 200,
            widget=forms.Textarea({"rows": 2, "lang": code}) if text.is_long else forms.TextInput({"lang": code}),
        )
        for text in translatable(row)
        for code, name in translations.other_languages(row)
    }
    return type(f"Translated{form.__name__}", (_TranslationsForm, form), fields)


class _TranslationsForm(ModelForm):
    """A form that reads and writes the translations of its row. Unchanged ones stay as other software wrote them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for text in translatable(self.instance):
            found = _translations(self.instance, text)
            for code, _name in translations.other_languages(self.instance):
                self.initial.setdefault(f"{text.field}_{code}", found.get(code, ""))

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        row = self.instance
        for text in translatable(row):
            names = {code: f"{text.field}_{code}" for code, _name in translations.other_languages(row)}
            changed = {
                code: self.cleaned_data.get(name, "") for code, name in names.items() if name in self.changed_data
            }
            if changed:
                _translate(row, text, changed)


def _translations(row: Resource, text: Translatable) -> dict[str, str]:
    if text.at is None:
        return translations.translations_of(row, text.column)
    found = _find(row.item, text.at)  # type: ignore[attr-defined]
    return translations.translations_in(*found) if found else {}


def _translate(row: Resource, text: Translatable, changed: dict[str, str]) -> None:
    if text.at is None:
        translations.translate_column(row, text.column, changed)
        return
    row.item = deepcopy(row.item)  # type: ignore[attr-defined]
    if found := _find(row.item, text.at):  # type: ignore[attr-defined]
        translations.translate(*found, changed)


def _questions(items: list[Json]) -> Iterator[tuple[Place, str]]:
    """Yield each question with its red flag, followed by its options with theirs, with the place of each text."""
    for item in items:
        link = str(item.get("linkId", ""))
        text = str(item.get("text", link))
        if item.get("text"):
            yield Place(link), text
        yield from _alarm(item, Place(link, is_alarm=True), text)
        for number, option in enumerate(item.get("answerOption", ())):
            raw, name = _of_option(option)
            label = f"{text}: {raw.get(name, '')}"
            if raw.get(name):
                yield Place(link, number), label
            yield from _alarm(option, Place(link, number, is_alarm=True), label)
        yield from _questions(item.get("item", []))


def _alarm(raw: Json, place: Place, label: str) -> Iterator[tuple[Place, str]]:
    found = translations.red_flag_in(raw)
    if found:
        extension, name = found
        yield place, f"{label}: {extension[name]}"


def _find(items: list[Json], at: Place) -> tuple[Json, str] | None:
    """Return the JSON object that holds a text, and the text's name in it."""
    for item in items:
        if str(item.get("linkId", "")) == at.link_id:
            options = item.get("answerOption", [])
            if at.option >= len(options):
                return None
            raw = item if at.option == NO_OPTION else options[at.option]
            if at.is_alarm:
                return translations.red_flag_in(raw)
            return (item, "text") if at.option == NO_OPTION else _of_option(raw)
        if found := _find(item.get("item", []), at):
            return found
    return None


def _of_option(option: Json) -> tuple[Json, str]:
    return (option["valueCoding"], "display") if "valueCoding" in option else (option, "valueString")
