"""Forms of a visit's pages for staff."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinic.models import PatientNote


class AnswerForm(forms.Form):
    """Form that accepts or declines a request."""

    answer = forms.ChoiceField(choices=[("accepted", _("Accept")), ("declined", _("Decline"))])


class StaffCancelForm(forms.Form):
    """Form that cancels a visit: the reason, and whether the patient is told."""

    reason = forms.CharField(
        label=_("Why is it cancelled?"),
        help_text=_("It is saved with the visit. The patient does not see it."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Enter why it is cancelled.")},
    )
    tell = forms.BooleanField(label=_("Tell the patient"), required=False, initial=True)
    by_patient = forms.BooleanField(
        label=_("The patient cancels: give back what the terms say, not everything"), required=False
    )

    def __init__(self, *args: Any, was_paid: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        if not was_paid:
            del self.fields["by_patient"]


class CoverageCheckForm(forms.Form):
    """Form that verifies a coverage, or rejects it with the reason that the patient reads."""

    check = forms.ChoiceField(choices=[("verified", _("Checked")), ("rejected", _("Reject"))])
    reason = forms.CharField(required=False, max_length=500)
    version = forms.IntegerField()


MONTHS = (1, 2, 3, 6, 12, 24)


def _months() -> list[tuple[int, str]]:
    texts = {count: ngettext("in %(count)d month", "in %(count)d months", count) for count in MONTHS}
    return [(count, text % {"count": count}) for count, text in texts.items()]


class RecallForm(forms.Form):
    """Form that has the patient of a visit seen again."""

    months = forms.TypedChoiceField(label=_("See the patient again"), choices=_months, coerce=int, initial=6)
    note = forms.CharField(
        label=_("Note (optional)"), help_text=_("Staff see it, the patient does not."), max_length=500, required=False
    )


class NoteForm(forms.Form):
    """Form for an internal note, about one of the patient's visits if it names one."""

    text = forms.CharField(
        label=_("Internal note"),
        help_text=_("Only staff see it. Patients never do."),
        max_length=PatientNote.MOST_LETTERS,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Write the note first.")},
    )
    visit = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
