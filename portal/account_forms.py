"""allauth's forms in our words. Apart from `portal.forms`, which allauth's own forms import."""

from typing import Any

from allauth.account import forms as allauth
from django.utils.translation import gettext_lazy as _

WORDS = {
    "login": (_("E-mail address"), "", _("Enter your e-mail address.")),
    "email": (_("E-mail address"), "", _("Enter your e-mail address.")),
    "password": (_("Password"), "", _("Enter your password.")),
    "password1": (
        _("Password"),
        _("At least 10 characters. Not one that many people use, and not like your name or address."),
        _("Choose a password."),
    ),
    "remember": (_("Keep me signed in on this device"), "", ""),
}


class _OurWords:
    """Labels that stay, hints below them, and no placeholder that vanishes as one types."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in WORDS:
                field.label, field.help_text, field.error_messages["required"] = WORDS[name]


class LoginForm(_OurWords, allauth.LoginForm):  # type: ignore[misc]
    """Sign in."""


class SignupForm(_OurWords, allauth.SignupForm):  # type: ignore[misc]
    """Sign up: who one is, then how one signs in."""

    field_order = ["given", "family", "birth_date", "email", "password1"]


class ResetPasswordForm(_OurWords, allauth.ResetPasswordForm):  # type: ignore[misc]
    """Ask for the link."""


class ResetPasswordKeyForm(_OurWords, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    """Choose a new password."""
