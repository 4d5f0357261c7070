"""Forms for passkeys. The browser fills in what the device answers."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as allauth
from django import forms
from django.utils.translation import gettext_lazy as _

NAME: dict[str, Any] = {
    "label": _("Name of the passkey"),
    "help_text": _("So that you can tell it from others, such as My phone."),
    "max_length": 60,
}


# What allauth and fido2 raise for an answer that no device gives.
MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
NO_ANSWER = {"required": _("The device gave no passkey. Try again.")}


class AddPasskeyForm(allauth.AddWebAuthnForm):  # type: ignore[misc]
    """Form that adds a passkey. The device always checks who uses it."""

    name = forms.CharField(required=False, **NAME)
    credential = forms.JSONField(widget=forms.HiddenInput, error_messages=NO_ANSWER)
    passwordless = None

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()  # type: ignore[no-any-return]
        except MALFORMED:
            raise get_adapter().validation_error("incorrect_code") from None


class RenamePasskeyForm(allauth.EditWebAuthnForm):  # type: ignore[misc]
    """Form that names a passkey."""

    name = forms.CharField(error_messages={"required": _("Enter a name.")}, **NAME)


class _UsePasskeyForm:
    """Mixin for a form with the answer of a device that uses a passkey."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except MALFORMED:
            raise get_adapter().validation_error("incorrect_code") from None


class LoginPasskeyForm(_UsePasskeyForm, allauth.LoginWebAuthnForm):  # type: ignore[misc]
    """Form that signs in with a passkey."""


class ConfirmPasskeyForm(_UsePasskeyForm, allauth.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Form that confirms with a passkey who has signed in."""


class SecondStepPasskeyForm(_UsePasskeyForm, allauth.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """Form for the second step of signing in, by a passkey."""
