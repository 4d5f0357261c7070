"""Forms for the accounts of staff."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Location, Practitioner, User
from clinic.models.second_factor import AnyRole
from portal.common.forms import GOOD_PASSWORD
from scheduling.access import HeldRole, Role

EVERYWHERE = (Role.OWNER, Role.MANAGER)
SEEING = (Role.BILLING, Role.READER)
WORDS = {
    Role.OWNER: _("Owner: everything a manager does, and who else is an owner"),
    Role.MANAGER: _("Manager: all calendars, set up, and the accounts of staff"),
    Role.BILLING: _("Billing: payments and insurance"),
    Role.READER: _("Read only: sees calendars and visits, changes nothing"),
}


class RolesForm(forms.Form):
    """Form for the roles of an account, with their bounds."""

    roles = forms.MultipleChoiceField(label=_("Roles"), required=False, widget=forms.CheckboxSelectMultiple)
    sites = forms.ModelMultipleChoiceField(
        label=_("Billing and read only: at these sites"),
        help_text=_("Leave empty for all sites."),
        queryset=Location.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    desks = forms.ModelMultipleChoiceField(
        label=_("Front desk of"),
        queryset=Location.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    practitioner = forms.ModelChoiceField(
        label=_("Is the practitioner"), queryset=Practitioner.objects.none(), required=False, empty_label=_("Nobody")
    )
    assists = forms.ModelMultipleChoiceField(
        label=_("Assistant of"),
        queryset=Practitioner.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, grantable: Collection[Role], user: User | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        fields: dict[str, Any] = self.fields
        fields["roles"].choices = [(role.value, word) for role, word in WORDS.items() if role in grantable]
        places = Location.objects.filter(part_of=None, deleted_at=None, status=Location.Status.ACTIVE)
        fields["sites"].queryset = fields["desks"].queryset = places
        active = Practitioner.objects.filter(active=True, deleted_at=None)
        fields["assists"].queryset = active
        own = Q(user=None) | Q(user=user) if user else Q(user=None)
        fields["practitioner"].queryset = active.filter(own)

    @property
    def held(self) -> frozenset[HeldRole]:
        """The chosen roles, each with its bounds."""
        data = self.cleaned_data
        chosen = {Role(each) for each in data["roles"]}
        bounds: list[int | None] = [site.pk for site in data["sites"]] or [None]
        held = {HeldRole(role) for role in chosen.intersection(EVERYWHERE)}
        held |= {HeldRole(role, site) for role in chosen.intersection(SEEING) for site in bounds}
        held |= {HeldRole(Role.FRONT_DESK, site.pk) for site in data["desks"]}
        held |= {HeldRole(Role.ASSISTANT, practitioner=person.pk) for person in data["assists"]}
        if data["practitioner"]:
            held.add(HeldRole(Role.PRACTITIONER, practitioner=data["practitioner"].pk))
        return frozenset(held)

    @staticmethod
    def initial_of(held: Iterable[HeldRole]) -> dict[str, Any]:
        """Return the initial values for these roles."""
        roles = tuple(held)
        return {
            "roles": sorted({each.role.value for each in roles if each.role in WORDS}),
            "sites": sorted({each.site for each in roles if each.role in SEEING and each.site}),
            "desks": [each.site for each in roles if each.role == Role.FRONT_DESK],
            "assists": [each.practitioner for each in roles if each.role == Role.ASSISTANT],
            "practitioner": next((each.practitioner for each in roles if each.role == Role.PRACTITIONER), None),
        }


class InviteForm(RolesForm):
    """Form that invites a person, with the roles that they are given."""

    email = forms.EmailField(label=_("Email address"), error_messages={"required": _("Enter their email address.")})
    given = forms.CharField(label=_("Given name"), required=False, max_length=150)
    family = forms.CharField(label=_("Family name"), required=False, max_length=150)
    field_order = ("email", "given", "family", "roles", "sites", "desks", "practitioner", "assists")


class SecondStepForm(forms.Form):
    """Form for the roles that must sign in in two steps."""

    roles = forms.MultipleChoiceField(
        label=_("These roles sign in in two steps"),
        help_text=_("People with several roles need it if one of their roles does."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    grace = forms.TypedChoiceField(
        label=_("Roles that you add now"),
        help_text=_(
            "Until then, people are reminded when they sign in. After that, they must add it before they can do"
            " anything else."
        ),
        choices=[(0, _("At once")), (7, _("In a week")), (14, _("In two weeks")), (30, _("In 30 days"))],
        coerce=int,
        initial=14,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, grantable: Collection[Role], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["roles"].choices = [  # type: ignore[attr-defined]
            (value, label) for value, label in AnyRole.choices if Role(value) in grantable
        ]

    @property
    def chosen(self) -> set[Role]:
        return {Role(value) for value in self.cleaned_data["roles"]}

    @property
    def time_left(self) -> timedelta:
        return timedelta(days=self.cleaned_data["grace"])


class AcceptForm(forms.Form):
    """Form by which an invited person chooses their password."""

    password = forms.CharField(
        label=_("Password"),
        help_text=GOOD_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Choose a password.")},
    )

    def __init__(self, *args: Any, user: User, **more: Any) -> None:
        super().__init__(*args, **more)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, self.user)
        return password
