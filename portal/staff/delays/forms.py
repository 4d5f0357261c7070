"""Forms for somebody who runs late."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.models.delays import LEAST, MOST
from portal.common.fields import NumberField
from portal.staff.delays.people import LatePerson

USUAL = 20


class DelayForm(forms.Form):
    """Form that asks who runs late, and how late they are."""

    person = forms.ChoiceField(label=_("Who runs late?"), error_messages={"required": _("Choose who runs late.")})
    minutes = NumberField(
        label=_("About how many minutes?"),
        help_text=_("How much later than planned the next visit begins."),
        min_value=LEAST,
        max_value=MOST,
        error_messages={"required": _("Enter the minutes.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, people: Iterable[LatePerson]) -> None:
        super().__init__(data, initial={"minutes": USUAL})
        field = self.fields["person"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(person.id, person.name) for person in people]


class SayDelayForm(DelayForm):
    """Form that stores the delay after the preview; 0 minutes means on time again."""

    tell = forms.BooleanField(label=_("Tell the patients who have not arrived"), required=False, initial=True)

    def __init__(self, data: Mapping[str, Any] | None = None, *, people: Iterable[LatePerson]) -> None:
        super().__init__(data, people=people)
        self.fields["minutes"] = NumberField(label=_("Minutes"), min_value=0, max_value=MOST)

    def clean_minutes(self) -> int:
        minutes: int = self.cleaned_data["minutes"]
        if 0 < minutes < LEAST:
            raise ValidationError(_("Enter the minutes."))
        return minutes
