"""Form by which members of staff choose their notices, and the media."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import StaffNotice
from portal.common.fields import ClockField
from scheduling.staff_notices import Preferences

KINDS = StaffNotice.Kind.choices


class NoticesForm(forms.Form):
    """Form for the notices by email and on the open pages, and the hour of the digest. `version` is what they have
    seen.
    """

    email = forms.MultipleChoiceField(
        label=_("By email"),
        help_text=_("Changes within five minutes make one email. It names no patient."),
        choices=KINDS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    pages = forms.MultipleChoiceField(
        label=_("On the page that you have open"),
        help_text=_("A note appears at the top of every page for staff."),
        choices=KINDS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    digest_at = ClockField(
        label=_("Email with the visits of the day, at"),
        help_text=_(
            "Before noon it has the visits of the same day, later those of the next day. Leave empty for none."
        ),
        required=False,
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, preferences: Preferences, **more: Any) -> None:
        more["initial"] = {
            "email": [kind.value for kind in preferences.email],
            "pages": [kind.value for kind in preferences.pages],
            "digest_at": preferences.digest_at,
            "version": preferences.version,
        }
        super().__init__(*args, **more)

    @property
    def preferences(self) -> Preferences:
        """The choice of notices that a valid form holds."""
        given = self.cleaned_data
        email, pages = (frozenset(map(StaffNotice.Kind, given[name])) for name in ("email", "pages"))
        return Preferences(email, pages, given["digest_at"], given["version"])
