"""Form by which staff say who deals with an item of the worklist, and from when on."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import User
from portal.common.fields import DayField
from portal.staff.worklist.worklist import WorkEntry


class ArrangeForm(forms.Form):
    """Form for the owner of an item and the day until which it is put off. `version` is what staff have seen."""

    owner = forms.ChoiceField(label=_("Who deals with it?"), required=False)
    until = DayField(
        label=_("Put off until"),
        help_text=_("It waits on the list again from that day on. Leave empty to keep it on the list."),
        required=False,
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, entry: WorkEntry, colleagues: list[User], **more: Any) -> None:
        self._people = {str(user.pk): user for user in (entry.reader, *colleagues)}
        owner = str(entry.owner.pk) if entry.owner else ""
        more["initial"] = {"owner": owner, "until": entry.put_off_until, "version": entry.name.version}
        super().__init__(*args, **more)
        field = self.fields["owner"]
        assert isinstance(field, forms.ChoiceField)
        names = [(str(user.pk), user.display_name) for user in colleagues]
        field.choices = [("", _("Nobody yet")), (str(entry.reader.pk), _("I do")), *names]

    @property
    def chosen_owner(self) -> User | None:
        """The person whom a valid form names."""
        return self._people.get(self.cleaned_data["owner"])
