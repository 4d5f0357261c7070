"""The form field for FHIR CodeableConcepts by their names, on the staff's pages and in the administration."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from clinic.models import concept_text

Json = dict[str, Any]
LONGEST = 200


class NamesInput(forms.Widget):
    """Text inputs that suggest names from a list: one for each name, and two for more."""

    template_name = "clinic/names_input.html"
    use_fieldset = True

    EMPTY = 2

    names: Iterable[str] = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        typed = [text for text in value or () if text]
        is_invalid = "aria-invalid" in context["widget"]["attrs"]
        context["widget"] |= {"inputs": [*typed, *[""] * self.EMPTY], "names": self.names, "is_invalid": is_invalid}
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        values = data.getlist(name) if hasattr(data, "getlist") else data.get(name)
        return [values] if isinstance(values, str) else list(values or ())

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def id_for_label(self, id_: str | None) -> str:
        return f"{id_}_0" if id_ else ""


class ConceptsField(forms.Field):
    """A field for a list of CodeableConcepts, each typed by its name, with suggestions.

    `known` returns the concepts that are suggested, by name. A concept that is stored stays as it is for as long as its
    name is there, and so does one without a name. Another name is a concept of this text alone if `is_open`, else it is
    refused.
    """

    widget: Any = NamesInput

    default_error_messages: ClassVar[Any] = {
        "unknown": _("“%(name)s” is not on the list. Choose one of its names, or leave the field empty."),
        "similar": _("“%(name)s” is not on the list. Did you mean “%(similar)s”?"),
    }

    def __init__(
        self,
        *,
        known: Callable[[], Mapping[str, Json]],
        name_of: Callable[[Json], str] = concept_text,
        is_open: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(required=False, **options)
        self.known, self.name_of, self.is_open = known, name_of, is_open
        self.suggested: Mapping[str, Json] = {}
        self.stored: list[Json] = []

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        self.stored = list(form.get_initial_for_field(self, field_name) or ())
        self.suggested = self.widget.names = self.known()
        return super().get_bound_field(form, field_name)

    def prepare_value(self, value: Any) -> list[str]:
        """Return the names of concepts; what was typed stays as it is."""
        return [name for each in value or () if (name := self.name_of(each) if isinstance(each, dict) else str(each))]

    def clean(self, value: Any) -> list[Json]:
        names = _once(_typed(value))
        if names == _once(_typed(self.prepare_value(self.stored))):
            return self.stored
        stored: dict[str, list[Json]] = {}
        for concept in self.stored:
            stored.setdefault(_spaced(self.name_of(concept)).casefold(), []).append(concept)
        known = _folded(self.suggested)
        concepts, errors = [], []
        for name in names:
            folded = name.casefold()
            try:
                concepts += stored.get(folded) or [known.get(folded) or self._new(name)]
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return concepts + stored.get("", [])

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _typed(self.prepare_value(initial)) != _typed(data)

    def _new(self, name: str) -> Json:
        MaxLengthValidator(LONGEST)(name)
        ProhibitNullCharactersValidator()(name)
        if concept := self._in_any_language(name):
            return concept
        if self.is_open:
            return {"text": name}
        by_folded = {known.casefold(): known for known in self.suggested}
        similar = get_close_matches(name.casefold(), by_folded, n=1)
        code = "similar" if similar else "unknown"
        params = {"name": name, "similar": by_folded[similar[0]] if similar else ""}
        raise ValidationError(self.error_messages[code], code=code, params=params)

    def _in_any_language(self, name: str) -> Json | None:
        """Return the concept of this name in another language: the page may have been in it when it was typed."""
        for language, _name in settings.LANGUAGES:
            with override(language):
                if concept := _folded(self.known()).get(name.casefold()):
                    return concept
        return None


def _typed(value: Any) -> list[str]:
    return [text for each in value or () if (text := _spaced(str(each)))]


def _spaced(text: str) -> str:
    """Return the text with one space between words."""
    return " ".join(text.split())


def _folded(concepts: Mapping[str, Json]) -> dict[str, Json]:
    return {name.casefold(): concept for name, concept in concepts.items()}


def _once(names: Iterable[str]) -> list[str]:
    """Return each name once, whatever its capitals."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
    return list(found.values())
