"""The text of messages, its language, and details that it never has."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import translation

from clinic import translations
from clinic.fhir.codes import TIMEZONE
from clinic.models import Event, Medium, MessageTemplate
from clinic.visit_place import with_chosen_zone
from scheduling import facts, visit_zone
from scheduling.notifications import letters, links
from scheduling.notifications.audience import audience_of
from tests.factories import (
    CommunicationFactory,
    MessageTemplateFactory,
    PatientFactory,
    SlotFactory,
)
from tests.scheduling.notifications.message_templates.letters_of_visit import (
    LANGUAGES,
    NEW_YORK,
    NOW,
    START,
    UNTIL,
    WITH_WORDS,
    letter,
    read,
)

pytestmark = pytest.mark.django_db


ABOUT_NO_VISIT = (
    *(Event.PROOF, Event.COVERAGE_VERIFIED, Event.COVERAGE_REJECTED, Event.REFERRAL, Event.TICKET, Event.RECALL),
    *(Event.INVITATION, Event.OF_AGE),
)


EVENTS = [event for event in WITH_WORDS if event not in (*ABOUT_NO_VISIT, Event.STAFF_REQUEST)]  # for patients
ABOUT_MONEY = ("receipt", "refund", "time-lost", "fee")
WITHOUT_CALENDAR = ("suggestion", "offer", "rebooking", "delay", *ABOUT_MONEY)  # these change no calendar


def everything(text):
    return " ".join([text.subject, text.body, text.text, text.html, text.calendar.decode()])


@pytest.mark.parametrize("medium", ["sms", "in-app"])
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_only_an_email_says_what_the_visit_is_for(visit, event, medium, language):
    text = re.sub(r"http://\S+", "", everything(letter(visit, event, medium, language)))  # links have random letters
    assert "Ada" in text
    for secret in ("Colonoscopy", "blood", "It hurts", "Too afraid", "Mei", "Quinn", "Fast"):
        assert secret not in text


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_discreet_service_is_not_named_in_emails_either(visit, event, language):
    visit.service.named_in_email = False
    MessageTemplateFactory(
        event=event, language="en", body="{{ name }}: {{ service }} {{ with_whom }}{{ preparation }}."
    )
    text = everything(letter(visit, event, "email", language))
    assert visit.fhir_id[:8].upper() in text
    for secret in ("Colonoscopy", "blood", "It hurts", "Too afraid", "Chen", "Fast"):
        assert secret not in text


@pytest.mark.parametrize("event", EVENTS)
def test_an_email_says_what_the_page_of_the_visit_says_in_text_and_in_html(visit, event):
    message = letter(visit, event)
    link = links.manage_link(visit)
    for part in (message.text, message.html):
        for fact in (
            "Tuesday, November 24, 2026, 9:20 – 9:50 AM (New York time)",
            "30 minutes",
            "Main Street, 1 Main Street, New York",
            "Colonoscopy",
            "Mei Chen",
            visit.fhir_id.replace("-", "")[:8].upper(),
            link,
            "(212) 555-0100",
        ):
            assert fact in part
        assert ("Fast from midnight on." in part) == (event not in ("cancellation", *ABOUT_MONEY))
        for secret in ("blood", "It hurts", "Too afraid"):
            assert secret not in part
    assert "<script" not in message.html
    assert " style=" not in message.html


DAY = timedelta(days=1)
LATE = (
    "Visits can be cancelled online until 24 hours before they begin, and this one begins sooner."
    " If you cannot come, please call us: (212) 555-0100."
)


@pytest.mark.parametrize(
    ("event", "fields", "notice", "now", "expected_text", "links_to"),
    [
        ("confirmation", {}, DAY, START - 3 * DAY, UNTIL, {"I will come", "Move or cancel the visit"}),
        ("change", {}, DAY, START - 3 * DAY, UNTIL, {"I will come", "Move or cancel the visit"}),
        ("reminder", {}, DAY, START - timedelta(hours=2), LATE, {"I will come", "See the visit"}),
        ("change", {}, DAY, START - timedelta(hours=2), LATE, {"I will come", "See the visit"}),
        (
            "confirmation",
            {},
            timedelta(0),
            START - DAY,
            "You can cancel until the visit begins.",
            {"I will come", "Move or cancel the visit"},
        ),
        ("confirmation", {"on_request": True}, DAY, START - 3 * DAY, UNTIL, {"I will come", "Cancel the visit"}),
        ("cancellation", {}, DAY, START - 3 * DAY, "", {"Book another time", "See the visit"}),
    ],
)
def test_an_email_says_until_when_and_promises_only_what_can_be_done_online(
    visit, event, fields, notice, now, expected_text, links_to
):
    visit.status = "cancelled" if event == "cancellation" else "booked"
    visit.service.cancellation_notice = notice
    visit.service.on_request = fields.get("on_request", False)
    message = CommunicationFactory.build(appointment=visit, patient=visit.patient, event=event, language="en")
    text = letters.compose(message, NEW_YORK, now=now).text
    labels = {"I will come", "See the visit", "Move or cancel the visit", "Cancel the visit", "Book another time"}
    assert {label for label in labels if f"\n{label}:\n" in text} == links_to
    assert expected_text in text


@pytest.mark.parametrize("event", EVENTS)
def test_a_text_message_is_short_and_carries_the_link(visit, event):
    message = letter(visit, event, "sms")
    assert links.manage_link(visit) in message.text
    assert "Tue, Nov 24, 9:20 AM (New York time)" in message.text
    assert len(message.text) <= 306, "two parts"


@pytest.mark.parametrize("event", ["confirmation", "change", "reminder"])
def test_a_text_message_promises_nothing_that_the_page_may_refuse(visit, event, settings):
    settings.SMS_REPLIES = False
    assert not re.search(r"\b(move|cancel)\b", letter(visit, event, "sms").text)


def test_a_move_names_the_old_time_and_the_new(visit):
    before = START - timedelta(days=1)
    [slot] = visit.slots.all()
    SlotFactory(schedule=slot.schedule, appointment=visit, start=before, deleted_at=NOW)

    message = letter(visit, "change")

    assert "It is now on Tuesday, November 24, 2026, 9:20 – 9:50 AM" in message.text
    assert "Before: Monday, November 23, 2026, 9:20 – 9:50 AM (New York time)" in message.text


def test_a_change_of_people_alone_names_no_old_time(visit):
    assert "Before" not in letter(visit, "change").text


def test_a_cancellation_names_the_time_that_is_free_again(visit):
    time = "Tuesday, November 24, 2026, 9:20 – 9:50 AM (New York time)"
    assert f"on {time} is cancelled" in letter(visit, "cancellation").text


def test_the_number_to_call_is_a_link_beside_the_facts_and_below_the_letter(visit):
    assert letter(visit).html.count('<a href="tel:+12125550100">(212) 555-0100</a>') == 2


@pytest.mark.parametrize("event", EVENTS)
def test_an_email_is_in_the_clinics_layout(visit, event, settings):
    settings.CLINIC_NAME, settings.CLINIC_ACCENT = "Riverside Clinic", "#7a1f5c"
    html = letter(visit, event).html
    assert '<td class="brand" bgcolor="#7a1f5c">Riverside Clinic</td>' in html
    assert "a { color: #7a1f5c; }" in html


def test_an_email_names_a_patient_who_has_only_the_text_of_a_name(visit):
    visit.patient = PatientFactory(given="", family="Case Text", extra={"name": [{"text": "Case Text"}]})
    assert "The visit for Case Text with " in letter(visit).body


def test_a_message_in_the_inbox_says_where_once(visit):
    message = CommunicationFactory.build(
        appointment=visit, patient=visit.patient, event="confirmation", medium="in-app", language="en"
    )
    place = facts.VisitFacts(visit, NEW_YORK).place
    assert letters.compose(message, NEW_YORK, now=NOW).body.endswith(f"\n\nWhere: {place}")
    MessageTemplate.objects.create(event="confirmation", medium="in-app", language="en", body="Come to {{ place }}.")
    assert letters.compose(message, NEW_YORK, now=NOW).body == f"Come to {place}."


def test_a_visit_by_video_is_told_by_the_clock_that_its_patient_chose_and_at_no_site(visit):
    visit.extra = with_chosen_zone({}, ZoneInfo("Europe/Madrid"))
    assert visit_zone.zones_of([visit])[visit.pk].key == "America/New_York", "in person it is the site's clock"
    visit.service.telehealth = True
    visit.service.save()
    visit.save()
    [zone] = visit_zone.zones_of([visit]).values()
    assert zone == audience_of(visit, now=visit.created).zone == ZoneInfo("Europe/Madrid")
    for event in EVENTS:
        for medium in Medium:
            message = CommunicationFactory.build(
                appointment=visit, patient=visit.patient, event=event, medium=medium, language="en"
            )
            composed = letters.compose(message, zone, now=NOW)
            assert "3:20" in composed.text
            assert "(Madrid time)" in composed.text
            assert "Main Street" not in everything(composed)
            assert f" at {settings.CLINIC_NAME}" not in everything(composed)
            if medium != "sms":
                assert "Where: By video" in composed.text
            if medium == "email" and event not in WITHOUT_CALENDAR:
                _, event_there = read(composed.calendar)
                assert event_there["LOCATION"] == "By video"
                assert event_there["DTSTART"].params["TZID"] == "Europe/Madrid"


def test_a_visit_by_video_names_the_patients_own_clock_where_it_differs(visit):
    visit.patient.extra = {"extension": [{"url": TIMEZONE, "valueCode": "Europe/Madrid"}]}
    assert "Madrid" not in letter(visit).text
    visit.service.telehealth = True
    assert "Where you are: Tuesday, November 24, 2026, 3:20 – 3:50 PM (Madrid time)" in letter(visit).text
    assert "By video" in letter(visit).text
    assert f"Join by video:\n{links.manage_link(visit)}\n" in letter(visit).text
    visit.patient.extra["extension"][0]["valueCode"] = "America/Toronto"
    assert "Toronto" not in letter(visit).text


@pytest.mark.parametrize(
    ("language", "rest", "words"),
    [
        ("en", 3000, ("Receipt: $40.00 paid", "has received $40.00 for the visit of Ada", "Still due: $30.00.")),
        ("en", 0, ("Receipt: $40.00 paid", "Amount: $40.00", "Still due: nothing.")),
        ("es", 0, ("Recibo: $40.00", "ha recibido $40.00", "Queda por pagar: nada.")),
        ("de", 3000, ("Beleg: 40,00", "hat 40,00", "Noch offen: 30,00")),
    ],
)
def test_a_receipt_says_what_was_paid_for_which_visit_and_what_is_still_due(visit, language, rest, words):
    message = CommunicationFactory.build(
        appointment=visit,
        patient=visit.patient,
        event="receipt",
        language=language,
        before={"amount": 4000, "currency": "USD", "rest": rest},
    )
    receipt = letters.compose(message, NEW_YORK, now=NOW)
    said = f"{receipt.subject} {receipt.text}".replace("\N{NO-BREAK SPACE}", " ")
    for part in (*words, visit.fhir_id.replace("-", "")[:8].upper(), "Main Street"):
        assert part in said
    message.medium = "sms"
    text = letters.compose(message, NEW_YORK, now=NOW).text
    assert "40" in text
    assert links.manage_link(visit) in text


def test_dates_are_written_out_in_the_patients_language(visit):
    assert "martes" in letter(visit, language="es").text.lower()
    assert "noviembre" in letter(visit, language="es").text
    assert translation.get_language() == "en"


def test_a_text_without_a_translation_is_marked_with_its_language(visit):
    """In the facts, in the preparation of several lines, and in the clinic's own sentences; never in plain text."""
    visit.service.preparation = "Fast from\nmidnight on <b>."
    visit.service.save()
    translations.translate(visit.site.extra, "name", {"es": "Calle Mayor"})
    visit.site.save()
    MessageTemplateFactory(
        event="confirmation",
        medium="email",
        language="es",
        subject="Su {{ service }}",
        body="100 % seguro: {{ service }} en {{ place }}.\n\n{{ preparation }}",
    )
    said = letter(visit, language="es")
    assert '<h1>Su <span lang="en">Colonoscopy</span></h1>' in said.html
    assert '<td><span lang="en">Colonoscopy</span></td>' in said.html
    assert '100 % seguro: <span lang="en">Colonoscopy</span> en Calle Mayor, 1 Main Street' in said.html
    assert '<p><span lang="en">Fast from</span><br><span lang="en">midnight on &lt;b&gt;.</span></p>' in said.html
    assert '<div lang="en"><p>Fast from<br>midnight on &lt;b&gt;.</p></div>' in said.html
    assert "lang" not in said.subject + said.body + said.text
    assert "span" not in letter(visit, event="cancellation", language="en").html
