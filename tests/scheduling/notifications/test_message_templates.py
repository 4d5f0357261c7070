"""The text of messages, its language, and details that it never has."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation
from icalendar import Calendar

from clinic import message_templates, placeholders, translations
from clinic.fhir.codes import TIMEZONE
from clinic.message_kinds import WITHOUT_TEMPLATE
from clinic.models import Event, Medium, MessageTemplate
from clinic.visit_place import with_chosen_zone
from scheduling import facts, notifications, visit_zone
from scheduling.notifications import letters, links
from scheduling.notifications.audience import audience_of
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    MessageTemplateFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db

LANGUAGES = [code for code, _name in settings.LANGUAGES]
NEW_YORK = ZoneInfo("America/New_York")
WITH_WORDS = [event for event in Event if event not in WITHOUT_TEMPLATE]
ABOUT_NO_VISIT = (
    *(Event.PROOF, Event.COVERAGE_VERIFIED, Event.COVERAGE_REJECTED, Event.REFERRAL, Event.RECALL),
    *(Event.INVITATION, Event.OF_AGE),
)
EVENTS = [event for event in WITH_WORDS if event not in (*ABOUT_NO_VISIT, Event.STAFF_REQUEST)]  # for patients
START = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)  # 09:20 in New York
NOW = START - timedelta(days=3)


@pytest.fixture
def visit(db):
    service = ServiceFactory(name="Colonoscopy", comment="For blood in the stool", preparation="Fast from midnight on.")
    chen = ScheduleFactory(services=[service], actor=PractitionerFactory(given="Mei", family="Chen"))
    return AppointmentFactory(
        service=service,
        patient=PatientFactory(given="Ada", family="Quinn", phone="+1 212 555 0123"),
        site=LocationFactory(name="Main Street", line="1 Main Street", city="New York", phone="+1 212 555 0100"),
        start=START,
        comment="It hurts",
        cancelation_reason={"text": "Too afraid"},
        schedules=[chen],
    )


ABOUT_MONEY = ("refund", "time-lost", "fee")
WITHOUT_CALENDAR = ("suggestion", "offer", "rebooking", "delay", *ABOUT_MONEY)  # these change no calendar


def letter(visit, event="confirmation", medium="email", language="en"):
    message = CommunicationFactory.build(
        appointment=visit,
        patient=visit.patient,
        event=event,
        medium=medium,
        language=language,
        address="ada@example.com",
    )
    return letters.compose(message, NEW_YORK, now=NOW)


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
UNTIL = "You can cancel until 24 hours before the visit, that is until Mon, Nov 23, 9:20 AM (New York time)."
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


def test_dates_are_written_out_in_the_patients_language(visit):
    assert "martes" in letter(visit, language="es").text.lower()
    assert "noviembre" in letter(visit, language="es").text
    assert translation.get_language() == "en"


def test_the_clinics_own_words_take_the_place_of_ours_in_their_language_only(visit):
    MessageTemplateFactory(subject="See you, {{ name }}", body="Come on {{ when }} for {{ service }}.")

    message = letter(visit)

    assert message.subject == "See you, Ada"
    assert message.body == "Come on Tuesday, November 24, 2026, 9:20 – 9:50 AM (New York time) for Colonoscopy."
    assert links.manage_link(visit) in message.text
    assert "See you" not in letter(visit, language="es").subject


def test_a_service_has_its_own_words_before_those_for_all_services(visit):
    MessageTemplateFactory(subject="See you", body="Come.")
    MessageTemplateFactory(subject="Your colonoscopy", body="Fast, please.", service=visit.service)
    MessageTemplateFactory(subject="Another", body="Another.", service=ServiceFactory())
    MessageTemplateFactory(subject="Ihre Darmspiegelung", body="Bitte nüchtern.", service=visit.service, language="de")

    def subject(about, language="en"):
        return letter(about, language=language).subject

    assert subject(visit) == "Your colonoscopy"
    assert subject(visit, "de") == "Ihre Darmspiegelung"
    assert "colonoscopy" not in subject(visit, "es").lower()
    assert subject(AppointmentFactory(start=START)) == "See you"
    assert letter(visit, "reminder").subject.startswith("Your visit on")


def test_one_template_for_each_service_and_one_for_all(visit):
    for service in (None, visit.service):
        MessageTemplateFactory(service=service)
        with pytest.raises(IntegrityError), transaction.atomic():
            MessageTemplateFactory(service=service)


def test_the_words_are_found_by_one_statement(visit, django_assert_num_queries):
    MessageTemplateFactory(service=visit.service)
    with django_assert_num_queries(1):
        message_templates.text_for("confirmation", "email", "en", visit.service)


def test_a_text_without_the_link_gets_it(visit):
    MessageTemplateFactory(medium="sms", subject="", body="Come on {{ time }}.")
    message = letter(visit, medium="sms")
    assert message.text == f"Come on Tue, Nov 24, 9:20 AM (New York time). {links.manage_link(visit)}"


def test_values_of_placeholders_cannot_add_html_or_headers(visit):
    visit.patient.given = "<b>Ada</b>\r\nBcc: all@example.com"
    MessageTemplateFactory(subject="For {{ name }}", body="For {{ name }}.")
    message = letter(visit)
    assert "<b>" not in message.html
    assert "\n" not in message.subject


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{{ nmae }}", "There is no placeholder {{ nmae }}. You can use: {{ name }}, {{ when }}"),
        ("{{ appointment.comment }}", "There is no placeholder {{ appointment.comment }}."),
        ("{{ name|upper }}", "There is no placeholder {{ name|upper }}."),
        ("{% if name %}x{% endif %}", "Only placeholders such as {{ when }} can be used"),
        ("{% include 'x' %}", "Only placeholders"),
        ("{% nothing %}", "This cannot be read"),
        ("{{ name", ""),
        ("{{ code }}", "There is no placeholder {{ code }}."),
    ],
)
def test_an_unknown_placeholder_is_refused_when_the_template_is_saved(body, message):
    template = MessageTemplate(event="confirmation", medium="email", language="en", subject="Visit", body=body)
    if not message:
        template.full_clean()  # an open brace is text
        return
    with pytest.raises(ValidationError) as refused:
        template.full_clean()
    assert message in refused.value.message_dict["body"][0]


@pytest.mark.parametrize("medium", Medium)
@pytest.mark.parametrize("event", WITH_WORDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_words_can_be_filled_in(event, medium, language):
    ours = message_templates.default_text(event, medium, language)
    placeholders.check(ours.subject, event)
    placeholders.check(ours.body, event)
    text = message_templates.fill_in(ours, message_templates.sample_values(language))
    assert "{{" not in text.subject + text.body
    assert text.body


def test_a_reminder_can_be_unsubscribed_from_by_one_click(visit):
    now = visit.start - timedelta(hours=2)
    CommunicationFactory(appointment=visit, event="reminder", occasion="0-7200", due=now)
    CommunicationFactory(appointment=visit, event="confirmation", occasion="0", due=now)
    deliver(now)

    reminder, confirmation = sorted(mail.outbox, key=lambda sent: "is booked" in sent.subject)
    link = links.unsubscribe_link(visit.patient)
    assert reminder.extra_headers["List-Unsubscribe"] == f"<{link}>"
    assert reminder.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in reminder.body
    assert "List-Unsubscribe" not in confirmation.extra_headers


def test_a_manage_link_is_short_and_only_ours(visit):
    link = links.manage_link(visit)
    token = link.rstrip("/").rpartition("/")[2]
    assert len(token) < 70
    assert links.read_manage_link(token) == (visit.fhir_id, "")
    assert links.read_manage_link(token[:-1] + ("a" if token[-1] != "a" else "b")) is None
    assert links.read_manage_link("~anything.at-all") is None
    assert links.read_unsubscribe_link(token) is None, "a token is good for one thing"


def test_a_manage_link_names_ids_that_a_client_chose():
    visit = AppointmentFactory(fhir_id="visit.of-ada.1")
    token = links.manage_link(visit).rstrip("/").rpartition("/")[2]
    assert links.read_manage_link(token) == ("visit.of-ada.1", "")


def test_a_manage_link_ends_a_day_after_the_visit(visit):
    assert not links.is_over(visit, now=visit.end + timedelta(hours=23))
    assert links.is_over(visit, now=visit.end + timedelta(days=1))


def read(content: bytes):
    calendar = Calendar.from_ical(content)
    [event] = calendar.walk("VEVENT")
    return calendar, event


def test_an_email_brings_the_visit_to_the_patients_calendar(visit):
    CommunicationFactory(appointment=visit, address="ada@example.com", due=NOW)
    visit.patient.email = "ada@example.com"
    visit.patient.save()
    deliver(NOW)

    [sent] = mail.outbox
    [part] = [each for each in sent.message().walk() if each.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "REQUEST"
    calendar, event = read(part.get_payload(decode=True))
    assert calendar["METHOD"] == "REQUEST"
    assert event["UID"] == f"{visit.fhir_id}@example.com"
    assert event["SEQUENCE"] == 0
    assert event["STATUS"] == "CONFIRMED"
    assert event["LOCATION"] == "Main Street, 1 Main Street, New York"
    assert event["URL"] == links.manage_link(visit)
    assert event["ATTENDEE"] == "mailto:ada@example.com"
    assert event["ORGANIZER"] == "mailto:clinic@example.com"


def test_a_move_and_a_cancellation_follow_in_the_calendar(visit):
    visit.sequence = 1
    _, moved = read(letter(visit, "change").calendar)
    visit.sequence, visit.status = 2, "cancelled"
    calendar, cancelled = read(letter(visit, "cancellation").calendar)

    assert moved["UID"] == cancelled["UID"]
    assert (moved["SEQUENCE"], cancelled["SEQUENCE"]) == (1, 2)
    assert calendar["METHOD"] == "CANCEL"
    assert cancelled["STATUS"] == "CANCELLED"


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 3, 7, 15, tzinfo=UTC),  # the day before the clocks go forward in New York
        datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
        datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
        datetime(2026, 10, 31, 14, tzinfo=UTC),
        datetime(2026, 11, 1, 14, tzinfo=UTC),  # the day they go back
    ],
)
def test_a_calendar_shows_the_right_instant_around_a_clock_change(visit, start):
    visit.start, visit.end = start, start + timedelta(minutes=30)

    calendar, event = read(notifications.calendar_of([visit], now=NOW))

    assert event["DTSTART"].params["TZID"] == "America/New_York"
    assert event.start.astimezone(UTC) == start
    assert event.end.astimezone(UTC) == visit.end
    [zone] = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == "America/New_York"
    assert zone.to_tz().utcoffset(event.start.replace(tzinfo=None)) == start.astimezone(NEW_YORK).utcoffset()


def test_a_time_that_the_clocks_show_twice_is_told_in_utc(visit):
    for hour in (5, 6):
        visit.start = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)  # half past one, before and after the change
        visit.end = visit.start + timedelta(minutes=30)
        _, event = read(notifications.calendar_of([visit], now=NOW))
        assert event.start == visit.start
        assert "TZID" not in event["DTSTART"].params


def test_an_entry_describes_what_matters_and_reminds_and_says_no_secrets(visit):
    visit.service.cancellation_notice = timedelta(days=1)
    _, event = read(notifications.calendar_of([visit], now=NOW))
    for line in (links.manage_link(visit), visit.fhir_id.replace("-", "")[:8].upper(), UNTIL, "(212) 555-0100"):
        assert line in str(event["DESCRIPTION"])
    [alarm] = event.walk("VALARM")
    assert alarm["TRIGGER"].dt == -timedelta(hours=2)
    visit.status = "cancelled"
    _, event = read(notifications.calendar_of([visit], now=NOW))
    assert event["STATUS"] == "CANCELLED"
    assert not event.walk("VALARM")


def test_a_calendar_of_many_visits_asks_once_for_their_zones(django_assert_num_queries, visit):
    other = AppointmentFactory(
        service=visit.service, schedules=[ScheduleFactory(actor=PractitionerFactory(timezone="Europe/Berlin"))]
    )
    with django_assert_num_queries(1):
        content = notifications.calendar_of([visit, other], now=NOW)

    calendar = Calendar.from_ical(content)
    assert calendar["METHOD"] == "PUBLISH"
    zones = {event["UID"]: event["DTSTART"].params["TZID"] for event in calendar.walk("VEVENT")}
    assert set(zones.values()) == {"America/New_York", "Europe/Berlin"}


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
