"""Delivery of messages as email, through the backend in the settings."""

from email.encoders import encode_base64
from email.mime.base import MIMEBase
from email.utils import formataddr, parseaddr
from smtplib import SMTPRecipientsRefused

from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext_noop

from clinic.models import Communication
from scheduling.notifications.calendar_files import domain
from scheduling.notifications.errors import Undeliverable
from scheduling.notifications.letters import Letter


def send(message: Communication, letter: Letter) -> str:
    """Send the letter. Returns the provider's id of the message, empty for plain SMTP.

    A repeated delivery has the same Message-ID, so mailboxes can recognise it. Raises Undeliverable if a retry would
    not help, and the backend's errors if it might.
    """
    mail = _mail(message, letter)
    try:
        mail.send()
    except (SMTPRecipientsRefused, AnymailRecipientsRefused, AnymailInvalidAddress) as refusal:
        raise Undeliverable(gettext_noop("The mail server does not know the address.")) from refusal
    provider_id = getattr(getattr(mail, "anymail_status", None), "message_id", None)
    return "" if provider_id is None else str(provider_id)


def _mail(message: Communication, letter: Letter) -> EmailMultiAlternatives:
    headers = {"Message-ID": f"<{message.fhir_id}@{domain()}>", "Auto-Submitted": "auto-generated"}
    if letter.unsubscribe:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        from_email=formataddr((settings.CLINIC_NAME, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        to=[message.address],
        reply_to=[settings.CLINIC_EMAIL] if settings.CLINIC_EMAIL else None,
        headers=headers,
    )
    mail.metadata = {"message": message.fhir_id}  # type: ignore[attr-defined]  # for a provider's webhooks
    mail.attach_alternative(letter.html, "text/html")
    if letter.calendar:
        part = MIMEBase("text", "calendar", method=letter.calendar_method, charset="utf-8", name="visit.ics")
        part.set_payload(letter.calendar)
        encode_base64(part)
        part.add_header("Content-Disposition", "attachment", filename="visit.ics")
        mail.attach(part)
    return mail
