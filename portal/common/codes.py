"""Six-digit codes, sent to an email address or by text to a telephone number, that the person who enters them has.

Guests need one, so does the user of a manage link if the clinic has neither birth date nor phone of the patient, and so
do patients who confirm their mobile number.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto

from django import forms
from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.common import limits
from portal.common.callers import caller_of, guest_secret
from scheduling import notifications

DIGITS = 6
GOOD_FOR = timedelta(minutes=15)
ATTEMPTS = 5
AGAIN_AFTER = timedelta(seconds=30)
_CODE = "guest-code"


class CodeResult(Enum):
    """The result of checking or sending a code."""

    RIGHT = auto()
    WRONG = auto()
    TOO_OLD = auto()
    TOO_OFTEN = auto()


class CodeForm(forms.Form):
    """Form for the code that was sent."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("Six digits."),
        max_length=20,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": gettext_lazy("Enter the code from our message.")},
    )

    def clean_code(self) -> str:
        code = "".join(self.cleaned_data["code"].split())
        if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", code):
            raise ValidationError(_("The code has six digits. It is in the message we sent you."))
        return code


def send(request: HttpRequest, addresses: Sequence[str], language: str, *, now: datetime) -> None:
    """Send a new code to the email addresses or numbers, within the rate limits, with a message on the page.

    Older codes are void.
    """
    if _just_sent(request.session, addresses, now):
        messages.info(request, _("We have just sent you a code. You can ask for another one in 30 seconds."))
        return
    if not limits.allows(request, "send_code", key=_joined(addresses)):
        is_signed_in = caller_of(request).user is not None
        wait = _("We have sent too many codes there. Wait 15 minutes.")
        messages.error(
            request, wait if is_signed_in else _("We have sent too many codes there. Wait 15 minutes, or sign in.")
        )
        return
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    request.session[_CODE] = {
        "address": _digest(request.session, addresses),
        "digest": _digest(request.session, addresses, code),
        "sent": now.isoformat(),
        "attempts": 0,
    }
    for address in addresses:
        notifications.prove(address, code, language, now=now)
    if "again" in request.POST:
        messages.success(request, _("We have sent you a new code. The old one no longer works."))


def is_right(request: HttpRequest, addresses: Sequence[str], form: CodeForm, *, now: datetime) -> bool:
    """True if the code is the latest one; else an error is added to the form. A code works once."""
    errors = {
        CodeResult.WRONG: _("That code is wrong. Check that you are using our latest message."),
        CodeResult.TOO_OLD: _("That code has expired. Ask for a new one below."),
        CodeResult.TOO_OFTEN: _("Too many wrong codes. Ask for a new one below."),
    }
    result = CodeResult.TOO_OFTEN
    if limits.allows(request, "check_code", key=_joined(addresses)):
        result = _check(request.session, addresses, form.cleaned_data["code"], now)
    if result != CodeResult.RIGHT:
        form.add_error("code", errors[result])
    return result == CodeResult.RIGHT


def is_sent(session: SessionBase, addresses: Sequence[str], *, now: datetime) -> bool:
    """True if a code that was sent from this browser to these addresses has not expired."""
    kept = session.get(_CODE)
    return (
        kept is not None
        and kept["address"] == _digest(session, addresses)
        and now <= datetime.fromisoformat(kept["sent"]) + GOOD_FOR
    )


def _just_sent(session: SessionBase, addresses: Sequence[str], now: datetime) -> bool:
    kept = session.get(_CODE)
    if kept is None or kept["address"] != _digest(session, addresses):
        return False
    return datetime.fromisoformat(kept["sent"]) + AGAIN_AFTER > now


def _check(session: SessionBase, addresses: Sequence[str], code: str, now: datetime) -> CodeResult:
    kept = session.get(_CODE)
    if kept is None or now > datetime.fromisoformat(kept["sent"]) + GOOD_FOR:
        return CodeResult.TOO_OLD
    if kept["attempts"] >= ATTEMPTS:
        return CodeResult.TOO_OFTEN
    if not constant_time_compare(kept["digest"], _digest(session, addresses, code)):
        session[_CODE] = {**kept, "attempts": kept["attempts"] + 1}
        return CodeResult.WRONG
    session.pop(_CODE)
    return CodeResult.RIGHT


def _digest(session: SessionBase, addresses: Sequence[str], code: str = "") -> str:
    proven = f"{guest_secret(session)}:{_joined(addresses)}:{code}"
    return salted_hmac("portal.guests", proven, algorithm="sha256").hexdigest()


def _joined(addresses: Sequence[str]) -> str:
    return ",".join(address.lower() for address in addresses)
