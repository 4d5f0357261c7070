"""Delivery of text messages through a service with Twilio's API:
https://www.twilio.com/docs/messaging/api/message-resource
"""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha1
from urllib.parse import unquote, urlsplit

import httpx
from django.conf import settings

from clinic import phones
from clinic.models import Communication
from scheduling.notifications import links
from scheduling.notifications.errors import NotNow, Undeliverable
from scheduling.notifications.failure_text import SERVICE_ANSWERS, SERVICE_NOT_REACHED, SERVICE_REFUSES

TIMEOUT = httpx.Timeout(10, connect=5)
DELIVERED = frozenset({"delivered", "read"})
FAILED = frozenset({"failed", "undelivered", "canceled"})


def send(message: Communication, text: str) -> str:
    """Send the text. Returns the service's id of the message; without a service the text is only recorded.

    Raises Undeliverable if the service refuses it permanently, NotNow if the service cannot be reached or is busy.
    """
    if not settings.SMS_URL:
        return ""
    form = {
        "From": settings.SMS_FROM,
        "To": phones.text_to(message.address),
        "Body": text,
        "StatusCallback": links.text_status_link(message),
    }
    try:
        answer = httpx.post(settings.SMS_URL, data=form, timeout=TIMEOUT)
    except httpx.HTTPError as error:
        raise NotNow(SERVICE_NOT_REACHED % {"error": type(error).__name__}) from error
    if answer.is_success:
        return str(_json(answer).get("sid", ""))
    if answer.is_client_error and answer.status_code not in (401, 403, 408, 429):
        code = _json(answer).get("code", answer.status_code)
        raise Undeliverable(SERVICE_REFUSES % {"code": code})
    raise NotNow(SERVICE_ANSWERS % {"code": answer.status_code})


def is_signed(address: str, form: Mapping[str, str], signature: str) -> bool:
    """True if the service signed the request: https://www.twilio.com/docs/usage/security#validating-requests"""
    if not settings.SMS_URL:
        return False
    token = unquote(urlsplit(settings.SMS_URL).password or "")
    signed = address + "".join(name + form[name] for name in sorted(form))
    own = base64.b64encode(hmac.digest(token.encode(), signed.encode(), sha1)).decode()
    return hmac.compare_digest(own.encode(), signature.encode())


def _json(answer: httpx.Response) -> dict[str, object]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
