"""Text messages through a service with Twilio's API: https://www.twilio.com/docs/messaging/api/message-resource

Sending, and what the service sends back: reports of delivery, and texts that patients send.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from hashlib import sha1, sha256
from urllib.parse import unquote, urlsplit

import httpx
from django.conf import settings

from clinic import phones
from clinic.models import Communication
from scheduling.notifications import links
from scheduling.notifications.errors import NotNow, Undeliverable
from scheduling.notifications.failure_text import SERVICE_ANSWERS, SERVICE_NOT_REACHED, SERVICE_REFUSES
from scheduling.notifications.inbound_texts import InboundText

TIMEOUT = httpx.Timeout(10, connect=5)
DELIVERED = frozenset({"delivered", "read"})
FAILED = frozenset({"failed", "undelivered", "canceled"})


def send(message: Communication, text: str) -> str:
    """Send the text of a message, as `send_text` does. Without a service it is only recorded."""
    if not settings.SMS_URL:
        return ""
    return send_text(message.address, text, status_link=links.text_status_link(message))


def send_text(number: str, text: str, *, status_link: str = "") -> str:
    """Send a text to a number. Returns the service's id of it. The service reports delivery to the link, if any.

    Raises Undeliverable if the service refuses it permanently, NotNow if the service cannot be reached or is busy.
    """
    form = {"From": settings.SMS_FROM, "To": phones.text_to(number), "Body": text}
    if status_link:
        form["StatusCallback"] = status_link
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


def form_of_reply(form: Mapping[str, str]) -> InboundText | None:
    """Return the text in a form that Twilio sends: https://www.twilio.com/docs/messaging/guides/webhook-request"""
    return InboundText.of(form.get("MessageSid", ""), form.get("From", ""), form.get("Body", ""))


def json_of_reply(body: bytes) -> InboundText | None:
    """Return the text in JSON, as any other service can send it: `{"id": ..., "from": ..., "text": ...}`."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    return InboundText.of(*(str(content.get(name) or "") for name in ("id", "from", "text")))


def is_signed_body(body: bytes, signature: str) -> bool:
    """True if the signature is the hexadecimal HMAC-SHA256 of the body, by the password of SMS_URL."""
    if not settings.SMS_URL:
        return False
    return hmac.compare_digest(hmac.digest(_password(), body, sha256).hex().encode(), signature.encode())


def is_signed(address: str, form: Mapping[str, str], signature: str) -> bool:
    """True if the service signed the request: https://www.twilio.com/docs/usage/security#validating-requests"""
    if not settings.SMS_URL:
        return False
    signed = address + "".join(name + form[name] for name in sorted(form))
    own = base64.b64encode(hmac.digest(_password(), signed.encode(), sha1)).decode()
    return hmac.compare_digest(own.encode(), signature.encode())


def _password() -> bytes:
    return unquote(urlsplit(settings.SMS_URL).password or "").encode()


def _json(answer: httpx.Response) -> dict[str, object]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
