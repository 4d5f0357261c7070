"""Text messages through a service like Twilio, mail through a provider, and their delivery reports."""

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from clinic import message_settings
from clinic.models import Communication
from scheduling import notifications
from scheduling.notifications import links
from tests.factories import AppointmentFactory, CommunicationFactory, PatientFactory
from tests.scheduling.notifications import messages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def text(db) -> Communication:
    patient = PatientFactory(phone="+1 (212) 555-0123")
    visit = AppointmentFactory(patient=patient, start=timezone.now() + timedelta(days=1))
    return CommunicationFactory(appointment=visit, medium="sms", address=patient.phone)


def deliver(message: Communication) -> Communication:
    messages.deliver(timezone.now())
    message.refresh_from_db()
    return message


def test_a_text_is_posted_as_twilio_wants_it(text_service, text):
    deliver(text)

    [(path, authorization, form)] = text_service.asked
    assert path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert base64.b64decode(authorization.removeprefix("Basic ")) == b"AC1:secret"
    assert form["From"] == "+12125550100"
    assert form["To"] == "+12125550123"
    assert form["Body"] == text.body
    assert form["StatusCallback"] == links.text_status_link(text)
    assert (text.status, text.provider_id) == ("completed", "SM1")
    assert text.received is None


def test_without_a_service_a_text_is_only_recorded(settings, text):
    settings.SMS_URL, settings.SMS_ENABLED, settings.QUIET_HOURS = "", True, None
    deliver(text)
    assert text.status == "completed"
    assert links.manage_link(text.appointment) in text.body


@pytest.mark.parametrize(
    ("status", "answer", "becomes", "why"),
    [
        (400, b'{"code": 21211}', "not-done", "The text service refuses the number or the text (error 21211)."),
        (429, b"", "preparation", "The text service answers 429."),
        (500, b"oops", "preparation", "The text service answers 500."),
        (401, b"", "preparation", "The text service answers 401."),
    ],
)
def test_a_refusal_for_good_is_not_tried_again_and_a_trouble_is(text_service, text, status, answer, becomes, why):
    text_service.status, text_service.answer = status, answer
    deliver(text)
    assert (text.status, text.status_reason) == (becomes, why)


def test_a_service_that_is_away_is_tried_again(settings, text_service, text):
    settings.SMS_URL = "http://AC1:secret@127.0.0.1:1/Messages.json"
    deliver(text)
    assert (text.status, text.status_reason) == (
        "preparation",
        "The text service could not be reached (ConnectError).",
    )


def report(client, message, secret="secret", **form):
    address = links.text_status_link(message)
    signed = address + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    path = "/" + address.split("/", 3)[3]
    answer = client.post(path, form, headers={"X-Twilio-Signature": signature})
    message.refresh_from_db()
    return answer.status_code


def test_the_service_tells_that_a_text_was_delivered(client, text_service, text):
    deliver(text)
    assert report(client, text, MessageSid="SM1", MessageStatus="sent") == 204
    assert text.received is None
    assert report(client, text, MessageSid="SM1", MessageStatus="delivered") == 204
    assert text.received is not None


def test_the_service_tells_that_a_text_was_not_delivered_and_why(client, text_service, text):
    deliver(text)
    assert report(client, text, MessageSid="SM1", MessageStatus="undelivered", ErrorCode="30003") == 204
    assert (text.status, text.status_reason) == ("not-done", "The text could not be delivered (error 30003).")
    assert notifications.failed(None, now=timezone.now()) == 1


def test_a_report_needs_the_signature(client, text_service, text):
    deliver(text)
    assert report(client, text, secret="guessed", MessageStatus="delivered") == 403
    assert client.post(f"/messages/text-status/{text.fhir_id}/", {"MessageStatus": "delivered"}).status_code == 403
    assert text.received is None


def test_without_a_service_there_are_no_reports(client, settings, text):
    settings.SMS_URL = ""
    assert report(client, text, secret="", MessageStatus="delivered") == 403


@pytest.fixture
def provider(settings):
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"


def test_mail_by_a_provider_is_known_by_its_id_and_ours(provider):
    message = CommunicationFactory(appointment=AppointmentFactory(start=timezone.now() + timedelta(days=1)))

    deliver(message)

    [sent] = mail.outbox
    assert message.status == "completed"
    assert message.provider_id == str(sent.anymail_status.message_id)
    assert sent.anymail_test_params["metadata"] == {"message": message.fhir_id}
    assert [part.mimetype for part in sent.anymail_test_params["attachments"]] == ["text/calendar"]


@pytest.mark.parametrize("known_by", ["metadata", "message_id"])
@pytest.mark.parametrize(
    ("kind", "status", "why"),
    [
        ("delivered", "completed", ""),
        ("bounced", "not-done", "The mail server would not take it (bounced)."),
        ("rejected", "not-done", "The mail server would not take it (blocked)."),
    ],
)
def test_a_provider_tells_what_became_of_a_mail(provider, known_by, kind, status, why):
    message = CommunicationFactory(appointment=AppointmentFactory(start=timezone.now() + timedelta(days=1)))
    deliver(message)
    event = AnymailTrackingEvent(
        event_type=kind,
        timestamp=timezone.now(),
        message_id=message.provider_id if known_by == "message_id" else None,
        metadata={"message": message.fhir_id} if known_by == "metadata" else {},
        reject_reason="blocked" if kind == "rejected" else None,
    )

    tracking.send(sender=object, event=event, esp_name="Test")

    message.refresh_from_db()
    assert (message.status, message.status_reason) == (status, why)
    assert (message.received is not None) == (kind == "delivered")


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (message_settings.quiet_hours, ["late"]),
        (message_settings.quiet_hours, ["08:00-08:00"]),
        (message_settings.check_sms, ["https://api.twilio.com/", "+12125550100"]),
        (message_settings.check_sms, ["https://AC1:secret@api.twilio.com/", ""]),
        (message_settings.site_url, ["visits.example.org"]),
        (message_settings.provider, ["Post Mark", {}]),
    ],
    ids=["no hours", "no time", "no password", "no sender", "no scheme", "no name"],
)
def test_a_setting_that_would_not_work_stops_the_start(read, values):
    with pytest.raises(ImproperlyConfigured, match="must"):
        read(*values)


def test_the_settings_of_a_provider_are_its_variables():
    environment = {"ANYMAIL_PROVIDER": "postmark", "ANYMAIL_POSTMARK_SERVER_TOKEN": "x", "PATH": "/"}
    made = message_settings.provider("postmark", environment)
    assert made["EMAIL_BACKEND"] == "anymail.backends.postmark.EmailBackend"
    assert made["ANYMAIL"]["POSTMARK_SERVER_TOKEN"] == "x"
    assert "PATH" not in made["ANYMAIL"]
