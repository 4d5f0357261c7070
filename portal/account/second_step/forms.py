"""Forms for the second step of signing in."""

from datetime import datetime
from typing import Any

from allauth.mfa.base import forms as allauth
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.account.forms import ClinicTexts, Words
from scheduling import second_factors

WRONG = _("This code does not work. Each code works once: wait for the next one, or use a recovery code.")
NOT_OF_APP = _("This code does not work. Check that the app shows this clinic, and enter its newest code.")
ANY_CODE: Words = (_("Code"), _("From the app on your phone, or a recovery code."), _("Enter the code."))
APP_CODE: Words = (_("Code"), _("The six digits that the app shows now."), _("Enter the code."))
DIGITS = {"inputmode": "numeric", "autocomplete": "one-time-code"}


class _OneTimeCode(ClinicTexts):
    """Mixin for a form that asks for a code of the app or a recovery code, which works once."""

    user: Any
    cleaned_data: dict[str, Any]
    words = {"code": ANY_CODE}

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        self.fields["code"].widget.attrs.update(DIGITS)

    def clean_code(self) -> str:
        forget_tries = check_rate_limit(self.user)
        code = str(self.cleaned_data["code"])
        self.authenticator = second_factors.use_code(self.user, code, now=self.now)
        if self.authenticator is None:
            raise ValidationError(WRONG)
        self.authenticator.user = self.user
        forget_tries()
        return code


class SecondStepForm(_OneTimeCode, allauth.AuthenticateForm):  # type: ignore[misc]
    """Form for the second step of signing in."""


class ConfirmByCodeForm(_OneTimeCode, allauth.ReauthenticateForm):  # type: ignore[misc]
    """Form that asks for a code again before a sensitive change."""


class AddAppForm(ClinicTexts, ActivateTOTPForm):  # type: ignore[misc]
    """Form for the first code of an authenticator app, which shows that the app has the key."""

    words = {"code": APP_CODE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(DIGITS)

    def clean_code(self) -> str:
        try:
            return str(super().clean_code())
        except ValidationError as refusal:
            raise ValidationError(NOT_OF_APP) if refusal.code == "incorrect_code" else refusal from None
