"""Form for the look of the booking embedded in the clinic's own site."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.translations import text_of
from portal.common import languages
from portal.common.fields import NumberField
from portal.common.frames import WIDEST_RADIUS
from portal.finding.catalogue import bookable


class SnippetForm(forms.Form):
    """Form that asks which page is embedded, and how it looks."""

    service = forms.ChoiceField(label=_("What is shown"), required=False)
    theme = forms.ChoiceField(
        label=_("Light or dark"),
        choices=[("", _("As the reader\u2019s device")), ("light", _("Light")), ("dark", _("Dark"))],
        required=False,
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    accent = forms.RegexField(
        r"\A#?[0-9a-fA-F]{6}\Z",
        label=_("Accent colour"),
        help_text=_("Such as #0b5f6b. A colour in which text cannot be read is not used. Empty: that of these pages."),
        required=False,
        error_messages={"invalid": _("Enter a colour such as #0b5f6b.")},
    )
    radius = NumberField(
        label=_("Rounding of corners"),
        help_text=_("In pixels. Empty: that of these pages."),
        required=False,
        min_value=0,
        max_value=WIDEST_RADIUS,
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        services = [(service.fhir_id, text_of(service, "name")) for service in bookable()]
        self._choose("service", [("", _("All visits")), *services])
        self._choose("language", [("", _("As the reader\u2019s browser")), *languages.names()])

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def options(self) -> dict[str, str]:
        """The values that were given, as the attributes of the script."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        return {
            name: str(value).lstrip("#").lower() if name == "accent" else str(value) for name, value in given.items()
        }
