"""allauth's forms in our words. Apart from `portal.account.signup`, which allauth's own forms import."""

from typing import Any, ClassVar

from allauth.account import forms as allauth
from django.utils.translation import gettext_lazy as _

Words = tuple[Any, Any, Any]  # label, hint, what is said where it is missing

GOOD_PASSWORD = _("At least 10 characters. Avoid common passwords and ones that resemble your name or email address.")
WORDS: dict[str, Words] = {
    "login": (_("Email address"), "", _("Enter your email address.")),
    "email": (_("Email address"), "", _("Enter your email address.")),
    "password": (_("Password"), "", _("Enter your password.")),
    "oldpassword": (_("Current password"), "", _("Enter your current password.")),
    "password1": (_("Password"), GOOD_PASSWORD, _("Choose a password.")),
    "password2": (_("Repeat the password"), "", _("Enter the new password again.")),
    "remember": (_("Keep me signed in on this device"), "", ""),
    "code": (_("Code"), _("It is in the message we sent you."), _("Enter the code.")),
}
NEW_PASSWORD: Words = (_("New password"), GOOD_PASSWORD, _("Choose a new password."))


class _OurWords:
    """Labels that stay, hints below them, and no placeholder that vanishes as one types."""

    fields: dict[str, Any]
    words: ClassVar[dict[str, Words]] = WORDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in self.words:
                field.label, field.help_text, field.error_messages["required"] = self.words[name]


class _NewPassword(_OurWords):
    words = {**WORDS, "password1": NEW_PASSWORD}


class LoginForm(_OurWords, allauth.LoginForm):  # type: ignore[misc]
    """Sign in, as whom an app expects if it sent somebody here: portal.oauth.views.signing_in_again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].initial = self.request.GET.get("login_hint")


class SignupForm(_OurWords, allauth.SignupForm):  # type: ignore[misc]
    """Sign up: who one is, then how one signs in."""

    field_order = ["given", "family", "one_name", "birth_date", "birth_unknown", "email", "password1"]


class ResetPasswordForm(_OurWords, allauth.ResetPasswordForm):  # type: ignore[misc]
    """Ask for the link."""


class ResetPasswordKeyForm(_NewPassword, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    """Choose a new password."""


class ChangePasswordForm(_NewPassword, allauth.ChangePasswordForm):  # type: ignore[misc]
    """Choose another password."""


class SetPasswordForm(_OurWords, allauth.SetPasswordForm):  # type: ignore[misc]
    """Choose the first password."""


class AddEmailForm(_OurWords, allauth.AddEmailForm):  # type: ignore[misc]
    """Name another address."""


class ReauthenticateForm(_OurWords, allauth.ReauthenticateForm):  # type: ignore[misc]
    """Say once more who one is."""


class ConfirmEmailVerificationCodeForm(_OurWords, allauth.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    """Prove the address."""
