"""`manage.py send_test_message` sends as patients' messages are sent, and doctor asks if the text service answers."""

from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from clinic import doctor


def send(*words) -> str:
    output = StringIO()
    call_command("send_test_message", *words, stdout=output)
    return output.getvalue()


def text_service_findings():
    [check] = [check for check in doctor.CHECKS if check.name == "text service"]
    return check.findings(timezone.now())


def test_a_test_email(settings):
    settings.CLINIC_NAME, settings.DEFAULT_FROM_EMAIL = "Elm Clinic", "visits@clinic.example"
    assert "The email to ops@clinic.example was handed to" in send("--email", "ops@clinic.example")
    [letter] = mail.outbox
    assert (letter.to, letter.from_email) == (["ops@clinic.example"], "Elm Clinic <visits@clinic.example>")
    assert letter.subject == "Test message of Elm Clinic"


def test_a_mail_server_that_does_not_answer(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(CommandError, match="The email was not sent: ConnectionRefusedError"):
        send("--email", "ops@clinic.example")


def test_a_test_text(text_service):
    assert send("--sms", "+1 212 555 0123") == "The service accepted the text to +1 212 555 0123: SM1.\n"
    [(_, _, form)] = text_service.asked
    assert (form["From"], form["To"]) == ("+12125550100", "+12125550123")
    assert "this is a test message" in form["Body"]
    assert "StatusCallback" not in form
    text_service.status, text_service.answer = 400, b'{"code": 21211}'
    with pytest.raises(CommandError, match=r"The text was not sent: .*error 21211"):
        send("--sms", "+1 212 555 0123")


def test_nothing_to_send_or_no_way_to_send_it(settings):
    settings.SMS_URL = ""
    with pytest.raises(CommandError, match="SMS_URL is not set"):
        send("--sms", "+1 212 555 0123")
    with pytest.raises(CommandError, match="Give --email ADDRESS, --sms NUMBER, or both"):
        send()


def test_doctor_asks_the_text_service_without_sending(settings, text_service):
    assert text_service_findings() == []
    text_service.status = 401
    assert text_service_findings() == ["The text service refuses the user and password in SMS_URL (401)."]
    text_service.status = 503
    assert text_service_findings() == ["The text service is out of order: it answers 503."]
    assert text_service.asked == []
    settings.SMS_URL = "http://AC1:secret@127.0.0.1:1/Messages.json"
    assert text_service_findings() == ["The text service does not answer at SMS_URL: ConnectError."]
    settings.SMS_URL = ""
    assert text_service_findings() == []
