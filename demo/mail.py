"""The mail that the embedded demo keeps instead of sending it, and its text messages."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

from clinic.models import Communication, Event, Medium

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Kept:
    """Email or text message that the demo has stored."""

    name: str
    sent: datetime
    to: str
    subject: str
    text: str
    has_invitation: bool = False

    @property
    def is_text(self) -> bool:
        return not self.subject


def kept() -> list[Kept]:
    """The latest, emails and texts together."""
    files = sorted(_folder().glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)[:SHOWN]
    mails = [each for file in files if (each := _mail(file)) is not None]
    return sorted([*mails, *_texts()], key=lambda each: each.sent, reverse=True)[:SHOWN]


def invitation(name: str) -> bytes | None:
    """The .ics file that came with an email."""
    file = _folder() / f"{name}.log"
    if not re.fullmatch(r"[\w-]+", name) or not file.is_file():
        return None
    part = next(_invitations(_parsed(file)), None)
    content = part.get_payload(decode=True) if part is not None else None
    return content if isinstance(content, bytes) else None


def _folder() -> Path:
    return Path(getattr(settings, "EMAIL_FILE_PATH", None) or settings.DATA_DIR / "mail")


def _mail(file: Path) -> Kept | None:
    message = _parsed(file)
    text = message.get_body(("plain",))
    if text is None or message["To"] is None:
        return None
    return Kept(
        name=file.stem,
        sent=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=str(text.get_content()),
        has_invitation=any(_invitations(message)),
    )


def _parsed(file: Path) -> EmailMessage:
    """The first message of a file: ours have one, ended by a line of hyphens."""
    written = file.read_bytes().split(b"\n" + b"-" * 79 + b"\n")[0]
    message = email.message_from_bytes(written, policy=email.policy.default)
    assert isinstance(message, EmailMessage)  # email.policy.default
    return message


def _invitations(message: EmailMessage) -> Iterator[EmailMessage]:
    return (part for part in message.iter_attachments() if part.get_content_type() == "text/calendar")


def _texts() -> list[Kept]:
    texts = Communication.objects.filter(medium=Medium.SMS, sent__isnull=False).exclude(event=Event.REPLY)
    sent = texts.order_by("-sent")
    return [Kept(each.fhir_id, each.sent, each.address, "", each.body) for each in sent[:SHOWN] if each.sent]
