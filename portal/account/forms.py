"""allauth's forms with the clinic's texts. `portal.account.signup` is separate because allauth's forms import it."""

from typing import Any, ClassVar

from allauth.account import forms as allauth
from django.utils.translation import gettext_lazy as _

from portal.common.forms import GOOD_PASSWORD

Words = tuple[Any, Any, Any]  # label, hint, error message when the field is empty

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


class ClinicTexts:
    """Mixin that gives an allauth form the clinic's labels and hints, and removes its placeholders."""

    fields: dict[str, Any]
    words: ClassVar[dict[str, Words]] = WORDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in self.words:
                field.label, field.help_text, field.error_messages["required"] = self.words[name]


class _NewPassword(ClinicTexts):
    words = {**WORDS, "password1": NEW_PASSWORD}


class LoginForm(ClinicTexts, allauth.LoginForm):  # type: ignore[misc]
    """Sign-in form. An app that sends somebody here can fill in the address: portal.oauth.reauthentication."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].initial = self.request.GET.get("login_hint")


class SignupForm(ClinicTexts, allauth.SignupForm):  # type: ignore[misc]
    """Sign-up form: the patient's details, then the email address and password to sign in with."""

    field_order = ["given", "family", "one_name", "birth_date", "birth_unknown", "email", "password1"]


class ResetPasswordForm(ClinicTexts, allauth.ResetPasswordForm):  # type: ignore[misc]
    """Form that asks for a link to reset the password."""


class ResetPasswordKeyForm(_NewPassword, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    """Form for a new password, shown by that link."""


class ChangePasswordForm(_NewPassword, allauth.ChangePasswordForm):  # type: ignore[misc]
    """Form that changes the password."""


class SetPasswordForm(ClinicTexts, allauth.SetPasswordForm):  # type: ignore[misc]
    """Form for the first password of an account that has none."""


class AddEmailForm(ClinicTexts, allauth.AddEmailForm):  # type: ignore[misc]
    """Form that adds an email address to the account."""


class ReauthenticateForm(ClinicTexts, allauth.ReauthenticateForm):  # type: ignore[misc]
    """Form that asks for the password again before a sensitive change."""


class RequestLoginCodeForm(ClinicTexts, allauth.RequestLoginCodeForm):  # type: ignore[misc]
    """Form that asks for the address to which a code for signing in is sent."""


class ConfirmLoginCodeForm(ClinicTexts, allauth.ConfirmLoginCodeForm):  # type: ignore[misc]
    """Form for that code."""


class ConfirmEmailVerificationCodeForm(ClinicTexts, allauth.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    """Form for the code that was sent to an email address."""
