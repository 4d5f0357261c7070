"""Texts that patients send: C confirms, X asks to cancel, STOP, START and HELP; anything else is for staff."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, time, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as project
from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Communication, MessagePreferences
from scheduling import booking
from scheduling.notifications import InboundText, letters, links, timeline
from scheduling.notifications.audience import audience_of
from scheduling.notifications.reply_words import ReplyIntent, intent_of
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    PatientFactory,
    RelatedPersonFactory,
    ServiceFactory,
)
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
START = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)  # 9:20 AM in New York
NUMBER = "+12125550123"
WRITTEN = "(212) 555-0123"
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(autouse=True)
def _texts(settings):
    settings.SMS_ENABLED, settings.SMS_URL, settings.SMS_REPLIES = True, "", True
    settings.CLINIC_NAME, settings.CLINIC_PHONE = "Riverside Clinic", "+12125550100"


@pytest.fixture
def ada(db):
    return PatientFactory(given="Ada", phone=WRITTEN)


def visit_for(patient, start=START, *, event="reminder", sent=NOW - timedelta(minutes=5), **service):
    """Return a booked visit about which a text was sent to the patient."""
    service = ServiceFactory(**{"name": "Colonoscopy", "cancellation_notice": timedelta(hours=24), **service})
    site = LocationFactory(name="Main Street", timezone="America/New_York")
    visit = AppointmentFactory(patient=patient, service=service, site=site, start=start)
    texted(visit, event=event, sent=sent)
    return visit


def texted(visit, *, event="reminder", sent=NOW - timedelta(minutes=5), address=WRITTEN):
    fields = {"status": "completed", "sent": sent, "due": sent, "address": address}
    return CommunicationFactory(appointment=visit, event=event, medium="sms", **fields)


def send(words, *, number=NUMBER, now=NOW, message="SM1"):
    text = InboundText.of(message, number, words)
    return booking.receive_text(text, now=now)


def answers(**conditions):
    rows = Communication.objects.filter(event="answer", **conditions).order_by("pk")
    return [row.body for row in rows]


def replies(**conditions):
    rows = Communication.objects.filter(event="reply", **conditions).order_by("pk")
    return [(row.body, row.status_reason, row.read is not None) for row in rows]


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        *(
            (word, ReplyIntent.CONFIRM)
            for word in ("C", "c.", "Yes!", " ok ", "Ja", "Sí", "si", "Ich komme", "Confirmo")
        ),
        *((word, ReplyIntent.CANCEL) for word in ("X", "x!", "cancel", "Absagen", "cancelar")),
        *((word, ReplyIntent.STOP) for word in ("STOP", "Stop.", "unsubscribe", "Stopp", "baja", "QUIT")),
        *((word, ReplyIntent.START) for word in ("START", "unstop", "alta")),
        *((word, ReplyIntent.HELP) for word in ("HELP", "info", "Hilfe", "ayuda")),
        *((words, None) for words in ("", "C u there", "I cannot come", "xx", "no", "👍", "can I stop by earlier")),
    ],
)
def test_words_of_all_languages(words, intent):
    assert intent_of(words) == intent


def test_c_confirms_the_visit(ada):
    visit = visit_for(ada)
    assert send("C")
    visit.refresh_from_db()
    assert visit.attendance_confirmed == NOW
    assert answers() == ["Riverside Clinic: Thank you. The clinic now knows that you are coming."]
    assert replies(appointment=visit) == [("C", "The patient says they will come", True)]
    assert AuditEvent.objects.get(subtype="attend").appointment == visit


def test_a_reply_stands_in_the_timeline_of_the_visit(ada):
    visit = visit_for(ada)
    send("Thanks, may I bring my mother?")
    _reminder, reply = timeline(visit)
    assert (str(reply.event), str(reply.word), reply.words) == (
        "Text from the patient",
        "To be read",
        "Thanks, may I bring my mother?",
    )
    assert not reply.can_go_again
    assert not answers(), "nobody is answered who has said something else"


def test_x_asks_first_and_a_second_x_cancels(ada):
    visit = visit_for(ada)
    send("X")
    visit.refresh_from_db()
    assert visit.status == "booked"
    [question] = answers()
    assert question == (
        "Riverside Clinic: To cancel the visit on Tue, Nov 24, 9:20 AM (New York time),"
        " reply X again within 30 minutes."
    )
    send("x", message="SM2", now=NOW + timedelta(minutes=2))
    visit.refresh_from_db()
    assert visit.status == "cancelled"
    assert answers()[1] == "Riverside Clinic: The visit on Tue, Nov 24, 9:20 AM (New York time) is cancelled."
    texts = Communication.objects.filter(appointment=visit, event="cancellation", medium="sms", status="preparation")
    assert not texts.exists(), "the answer has said it"
    assert Communication.objects.filter(appointment=visit, event="cancellation").exists()


@pytest.mark.parametrize("later", ["too late", "moved", "confirmed"])
def test_a_second_x_must_answer_the_question(ada, later):
    visit = visit_for(ada)
    send("X")
    if later == "moved":
        Appointment.objects.filter(pk=visit.pk).update(sequence=visit.sequence + 1)
    if later == "confirmed":
        send("C", message="SM2", now=NOW + timedelta(minutes=1))
    send("X", message="SM3", now=NOW + timedelta(minutes=31 if later == "too late" else 2))
    visit.refresh_from_db()
    assert visit.status == "booked"
    assert "reply X again" in answers()[-1]


def test_x_cancels_nothing_where_the_policy_forbids(ada):
    visit = visit_for(ada, cancellation_notice=timedelta(hours=72))
    for message in ("SM1", "SM2"):
        send("X", message=message)
    visit.refresh_from_db()
    assert visit.status == "booked"
    assert "could be cancelled until 72 hours before its start. Please call the clinic. (212) 555-0100" in answers()[0]
    assert replies()[0] == ("X", "The visit can no longer be cancelled by text.", False)


def test_of_several_visits_the_one_of_the_last_reminder_is_meant(ada):
    later = visit_for(ada, START + timedelta(days=20), event="confirmation", sent=NOW - timedelta(minutes=1))
    reminded = visit_for(ada, sent=NOW - timedelta(hours=2))
    send("C")
    assert Appointment.objects.get(attendance_confirmed=NOW) == reminded
    send("X", message="SM2")
    assert "Tue, Nov 24, 9:20 AM" in answers()[-1]
    assert not replies(appointment=later)


def test_without_a_reminder_several_visits_cannot_be_told_apart(ada):
    for days in (1, 30):
        visit_for(ada, START + timedelta(days=days), event="confirmation", sent=NOW - timedelta(days=4))
    for number, words in enumerate("CX"):
        send(words, message=f"SM{number}")
    assert not Appointment.objects.exclude(attendance_confirmed=None).exists()
    assert set(answers()) == {
        "Riverside Clinic: You have several visits. Please open the link in the message about the one you mean."
        " (212) 555-0100"
    }
    assert {dealt for _words, _done, dealt in replies()} == {False}


def test_c_confirms_all_visits_of_which_one_was_reminded_together(ada):
    first, second = visit_for(ada), visit_for(ada, START + timedelta(hours=1))
    send("C")
    assert Appointment.objects.filter(attendance_confirmed=NOW).count() == 2
    assert replies(appointment=first) == replies(appointment=second) == [("C", "The patient says they will come", True)]
    assert len(answers()) == 1
    send("X", message="SM2")
    assert "You have several visits" in answers()[-1]
    assert Appointment.objects.filter(status="booked").count() == 2


@pytest.mark.parametrize("change", ["cancelled", "over", "deleted", "other number"])
def test_a_visit_that_cannot_be_meant_is_not_touched(ada, change):
    visit = visit_for(ada)
    changes = {
        "cancelled": {"status": "cancelled"},
        "over": {"start": NOW - timedelta(hours=1), "end": NOW - timedelta(minutes=30)},
        "deleted": {"deleted_at": NOW},
        "other number": {},
    }
    Appointment.objects.filter(pk=visit.pk).update(**changes[change])
    if change == "other number":
        ada.phone = "+1 212 555 0177"
        ada.save()
    send("C")
    visit.refresh_from_db()
    assert visit.attendance_confirmed is None
    assert not any("thank" in words.lower() for words in answers())


def test_an_unknown_number_is_not_answered_and_its_text_is_kept(ada):
    visit_for(ada)
    for number, words in enumerate(("C", "X", "STOP", "HELP", "Hello")):
        send(words, number="+12125559999", message=f"SM{number}")
    assert not answers()
    assert len(replies(appointment=None, patient=None)) == 5
    assert not Appointment.objects.exclude(attendance_confirmed=None).exists()
    assert not MessagePreferences.objects.exists()


def test_a_carer_answers_for_the_patient_they_are_written_to_about(ada):
    leo = PatientFactory(given="Leo", phone="")
    RelatedPersonFactory(patient=leo, phone=WRITTEN)
    visit = visit_for(leo)
    send("C")
    visit.refresh_from_db()
    assert visit.attendance_confirmed == NOW


def test_stop_and_start(ada):
    visit = visit_for(ada)
    send("STOP")
    assert answers() == ["Riverside Clinic: You get no more text messages from us. Reply START to get them again."]
    assert audience_of(visit, now=NOW).phones == ()
    send("stop", message="SM2")
    assert MessagePreferences.objects.get(patient=ada).stopped_numbers == [NUMBER]
    waiting = CommunicationFactory(appointment=visit, event="reminder", occasion="0-60", medium="sms", due=NOW)
    deliver(NOW)
    waiting.refresh_from_db()
    assert waiting.status == "not-done"
    assert set(Communication.objects.filter(event="answer").values_list("status", flat=True)) == {"completed"}
    send("START", message="SM3")
    assert audience_of(visit, now=NOW).phones == (WRITTEN,)
    assert Communication.objects.filter(
        appointment=visit, event="reminder", medium="sms", status="preparation"
    ).exists()


def test_an_answer_goes_out_at_night_too(ada, settings):
    settings.QUIET_HOURS = (time(9), time(23))
    visit_for(ada)
    send("C")
    deliver(NOW)
    answer = Communication.objects.get(event="answer")
    assert (answer.status, answer.sent) == ("completed", NOW)


def test_a_text_that_is_delivered_twice_is_one_reply(ada):
    visit = visit_for(ada)
    assert send("X")
    assert not send("X"), "the same message: it must not count as the second X"
    visit.refresh_from_db()
    assert visit.status == "booked"
    assert len(replies()) == len(answers()) == 1


def test_a_text_that_is_delivered_twice_at_once_is_one_reply(ada):
    visit_for(ada)
    barrier, done = Barrier(4, timeout=30), []

    def deliver_it():
        try:
            barrier.wait()
            done.append(send("X"))
        finally:
            connection.close()

    threads = [Thread(target=deliver_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert len(replies()) == len(answers()) == 1


def test_two_machines_do_not_answer_each_other_without_end(ada):
    visit_for(ada)
    for number in range(20):
        send("ok", message=f"SM{number}")
    assert len(answers()) == 6


@pytest.mark.parametrize(("language", "words"), [("de", "Vielen Dank."), ("es", "Gracias."), ("", "Thank you.")])
def test_the_answer_is_in_the_patients_language(language, words):
    visit_for(PatientFactory(phone=WRITTEN, language=language))
    send("C")
    assert words in answers()[0]


@pytest.mark.parametrize("words", ["C", "X", "STOP", "START", "HELP", "Who is this?"])
def test_no_answer_says_what_the_visit_is_for(ada, words):
    visit_for(ada)
    send(words)
    assert not any(secret in text for text in answers() for secret in ("Colonoscopy", "Ada", "Main Street"))


@pytest.mark.parametrize("language", [code for code, _name in project.LANGUAGES])
def test_a_reminder_says_what_can_be_answered_where_answers_arrive(ada, settings, language):
    visit = visit_for(ada)
    reminder = CommunicationFactory.build(appointment=visit, event="reminder", medium="sms", language=language)
    for settings.SMS_REPLIES in (True, False):
        assert ("STOP" in letters.compose(reminder, NEW_YORK, now=NOW).text) == settings.SMS_REPLIES


# The webhook

FORM = {"MessageSid": "SM1", "From": NUMBER, "To": "+12125550100", "Body": "C"}


@pytest.fixture
def service(settings):
    settings.SMS_URL, settings.SMS_FROM = "https://user:secret@texts.example/Messages.json", "+12125550100"


def twilio(client, form, secret="secret"):
    address = links.absolute("/messages/text-reply/")
    signed = address + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.digest(secret.encode(), signed.encode(), hashlib.sha1)).decode()
    return client.post("/messages/text-reply/", form, headers={"X-Twilio-Signature": signature}).status_code


def other_service(client, content, secret="secret"):
    body = json.dumps(content)
    signature = hmac.digest(secret.encode(), body.encode(), hashlib.sha256).hex()
    return client.post(
        "/messages/text-reply/", body, content_type="application/json", headers={"X-Signature": signature}
    ).status_code


def test_twilio_delivers_a_text(client, service, ada):
    visit = visit_for(ada, timezone.now() + timedelta(days=2), sent=timezone.now() - timedelta(minutes=5))
    assert twilio(client, FORM) == 204
    assert replies(appointment=visit) == [("C", "The patient says they will come", True)]
    assert twilio(client, FORM) == 204
    assert len(replies()) == 1


def test_any_other_service_delivers_a_text_as_signed_json(client, service, ada):
    visit = visit_for(ada, timezone.now() + timedelta(days=2), sent=timezone.now() - timedelta(minutes=5))
    assert other_service(client, {"id": "1", "from": "212-555-0123", "text": "C"}) == 204
    assert replies(appointment=visit) == [("C", "The patient says they will come", True)]


def test_a_text_without_the_signature_is_refused(client, service, ada):
    visit_for(ada)
    assert twilio(client, FORM, secret="guessed") == 403
    assert other_service(client, {"id": "1", "from": NUMBER, "text": "C"}, secret="guessed") == 403
    assert client.post("/messages/text-reply/", FORM).status_code == 403
    assert not replies()


def test_without_a_service_nothing_is_received(client, ada):
    assert twilio(client, FORM, secret="") == 403


@pytest.mark.parametrize("content", [{}, {"id": "1", "text": "C"}, {"from": NUMBER, "text": "C"}, ["C"], "C"])
def test_a_text_without_id_or_number_is_refused(client, service, content):
    assert other_service(client, content) == 400


def test_a_long_text_with_forbidden_characters_is_kept(client, service, ada):
    assert twilio(client, {**FORM, "Body": "a\0" * 3000}) == 204
    assert [body for body, _done, _dealt in replies()] == ["a" * 1600]
