from email.utils import formataddr, parseaddr
from typing import Any

from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.mail import send_mail
from django.core.management.base import BaseCommand, CommandError, CommandParser

from scheduling.notifications import sms
from scheduling.notifications.errors import NotNow, Undeliverable

TEXT = "{clinic}: this is a test message. The clinic can send messages this way."


class Command(BaseCommand):
    help = "Send a test message by email, by text or both, the way that patients' messages go."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", dest="address", metavar="ADDRESS")
        parser.add_argument(
            "--sms", dest="number", metavar="NUMBER", help="with the country's code, such as +12125550123"
        )

    def handle(self, *args: Any, address: str | None, number: str | None, **options: Any) -> None:
        if not address and not number:
            raise CommandError("Give --email ADDRESS, --sms NUMBER, or both.")
        text = TEXT.format(clinic=settings.CLINIC_NAME)
        if address:
            self._send_email(address, text)
        if number:
            self._send_text(number, text)

    def _send_email(self, address: str, text: str) -> None:
        sender = formataddr((settings.CLINIC_NAME, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
        try:
            send_mail(f"Test message of {settings.CLINIC_NAME}", text, sender, [address])
        except (OSError, AnymailError) as error:  # smtplib's errors are OSErrors
            raise CommandError(f"The email was not sent: {type(error).__name__}: {error}") from error
        self.stdout.write(f"The email to {address} was handed to {settings.EMAIL_BACKEND}.")

    def _send_text(self, number: str, text: str) -> None:
        if not settings.SMS_URL:
            raise CommandError("SMS_URL is not set: no texts are sent.")
        try:
            message_id = sms.send_text(number, text)
        except (NotNow, Undeliverable) as error:
            raise CommandError(f"The text was not sent: {error}") from error
        self.stdout.write(f"The service accepted the text to {number}: {message_id or 'it gave no id'}.")
