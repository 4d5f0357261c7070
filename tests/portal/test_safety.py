"""What somebody who means ill would try."""

import logging
from datetime import date, timedelta

import icalendar
import pytest
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.logs import HideSecrets
from clinic.models import Appointment, AuditEvent, CalendarFeed, Communication, MessageTemplate, RelatedPerson
from portal import guests
from scheduling import notifications
from scheduling.notifications import links
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    UserFactory,
)
from tests.portal.test_guest import EVE, KNOWN, code, prove, say_who
from tests.portal.test_hold import page_of

pytestmark = pytest.mark.django_db
ELSEWHERE = ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)")


@pytest.fixture
def held(client, checkup, wanted):
    client.post(f"/book/{checkup.fhir_id}/hold/", {"time": wanted})
    return Appointment.objects.get()


@pytest.fixture
def visit(ada, checkup, schedule, site, ten):
    end = ten + timedelta(minutes=30)
    return AppointmentFactory(patient=ada, service=checkup, start=ten, end=end, schedules=[schedule], site=site)


@pytest.fixture
def link(visit, settings):
    return links.manage_link(visit).removeprefix(settings.SITE_URL)


def visit_page(visit):
    return f"/appointments/{visit.fhir_id}/"


def book_as_guest(client, held):
    say_who(client, held)
    prove(client, held)
    client.post(page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.status == "booked"


# Browsers that several people use


def test_nothing_of_a_session_is_left_after_signing_out(client, held, ada, bo):
    client.force_login(ada.user)
    client.post("/accounts/logout/")
    assert dict(client.session) == {}
    client.force_login(bo.user)
    assert client.get(visit_page(held)).status_code == 404


def test_who_signs_in_gets_another_session(client, held, ada):
    before = client.session.session_key
    client.post("/accounts/login/", {"login": ada.user.email, "password": "secret-password"})
    assert client.session[SESSION_KEY] == str(ada.user.pk)
    assert client.session.session_key != before


def test_who_signs_in_does_not_see_what_a_guest_has_booked_in_this_browser(client, held, bo):
    book_as_guest(client, held)
    assert client.get(visit_page(held)).status_code == 200
    client.force_login(bo.user)
    assert client.get(visit_page(held)).status_code == 404
    assertNotContains(client.get("/appointments/"), "Check-up")


def test_a_hold_that_somebody_has_claimed_is_no_longer_the_browsers(client, held, ada):
    client.force_login(ada.user)
    client.post(page_of(held, "about"), {"who": ada.fhir_id})
    held.refresh_from_db()
    assert (held.patient, held.held_by, held.held_by_guest) == (ada, ada.user, "")


# Records


def test_a_guest_reaches_no_record_of_an_account_and_learns_of_none(client, held, ada):
    ada.birth_date, ada.email = date(1985, 3, 27), "eve@example.com"
    ada.save()
    pages = [say_who(client, held, given=ada.given, family=ada.family), prove(client, held)]
    held.refresh_from_db()
    assert held.patient != ada
    assert ada.fhir_id not in str([page.headers for page in pages])
    ada.refresh_from_db()
    assert (ada.version, ada.phone) == (1, "")


@pytest.mark.parametrize("address", ["eve@g\u0131thub.com", "eve@\ufb01ne.com"])
def test_an_address_that_only_looks_the_same_is_another(address):
    """PostgreSQL's own capital of a dotless i is I."""
    theirs = PatientFactory(**KNOWN | {"email": address.replace("\u0131", "i").replace("\ufb01", "fi")})
    details = guests.Details(**KNOWN | {"email": address})
    assert guests.record_of(details, now=timezone.now()) != theirs
    assert guests.record_of(guests.Details(**KNOWN | {"email": theirs.email}), now=timezone.now()) == theirs


def test_an_address_is_written_one_way(client, held):
    say_who(client, held, email="eve@\uff45xample.com")
    assert Communication.objects.get(event="proof").address == "eve@example.com"


def test_caring_for_somebody_makes_a_new_record_always(as_ada, bo):
    """Who knows name and birth date of another patient gets no hold of their record."""
    bo.birth_date = date(1990, 7, 4)
    bo.save()
    born = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}
    as_ada.post("/family/add/", {"given": bo.given, "family": bo.family, "relationship": "SPS", **born})
    assert RelatedPerson.objects.get().patient != bo


def test_who_no_longer_cares_for_somebody_loses_everything_at_once(client, visit, checkup):
    user = UserFactory(email="grace@example.com")
    related = RelatedPersonFactory(patient=visit.patient, user=user)
    form = QuestionnaireFactory()
    checkup.questionnaires.add(form)
    QuestionnaireResponseFactory(appointment=visit, questionnaire=form)
    CommunicationFactory(appointment=visit, medium="in-app", status="completed", sent=timezone.now(), subject="News")
    client.force_login(user)
    pages = ["", "answers/", "visit.ics", "cancel/", "move/"]
    assert {client.get(visit_page(visit) + page).status_code for page in pages} == {200}
    assertContains(client.get("/messages/"), "News")
    related.active = False
    related.save()
    assert {client.get(visit_page(visit) + page).status_code for page in pages} == {404}
    assertNotContains(client.get("/messages/"), "News")
    assert client.get(f"/fhir/R4/{visit.reference}").status_code == 404
    assert client.get(f"/preferences/{visit.patient.fhir_id}/").status_code in (302, 404)


def test_who_no_longer_cares_for_somebody_is_not_written_to(as_ada, ada, checkup, schedule, ten):
    born = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "2020"}
    as_ada.post("/family/add/", {"given": "Kit", "family": "Quinn", "relationship": "PRN", **born})
    related = RelatedPerson.objects.get()
    of_kit = {"patient": related.patient, "service": checkup, "start": ten, "schedules": [schedule]}
    visit = AppointmentFactory(**of_kit)
    notifications.booked(visit, now=timezone.now())
    assert Communication.objects.get(event="confirmation", medium="email").address == ada.user.email
    as_ada.post(f"/family/{related.fhir_id}/remove/")
    while notifications.deliver_next(now=timezone.now()):
        pass
    assert mail.outbox == []


# Guesses


def test_codes_are_guessed_no_faster_from_several_browsers(client, client_class, checkup, held, schedule, ten):
    """The limits are of the address, whoever asks."""
    from portal.choosing import written
    from scheduling.availability import offerings_of

    sent = 0
    for hour in range(1, 8):
        browser = client_class()
        time = written(ten + timedelta(hours=hour), offerings_of(checkup, [schedule.fhir_id]))
        browser.post(f"/book/{checkup.fhir_id}/hold/", {"time": time})
        say_who(browser, Appointment.objects.latest("pk"), email="Eve@Example.com" if hour % 2 else EVE["email"])
        sent = Communication.objects.filter(event="proof").count()
    assert sent == 5


@pytest.fixture
def client_class(client):
    return type(client)


def test_birth_dates_are_guessed_no_faster_from_several_browsers(client_class, link):
    wrong = {"birth_date_day": "1", "birth_date_month": "1", "birth_date_year": "1950"}
    for _ in range(8):
        client_class().post(link, wrong)
    assert AuditEvent.objects.filter(subtype="wrong birth date").count() == 5


def test_a_code_that_could_not_be_sent_is_kept_nowhere(client, held):
    say_who(client, held)
    digits = code()
    late = timezone.now() + timedelta(hours=1)
    while notifications.deliver_next(now=late):
        pass
    message = Communication.objects.get(event="proof")
    assert (message.status, message.subject, message.body) == ("not-done", "", "")
    assert digits not in str(Communication.objects.values())


def test_administrators_sign_in_where_guessing_is_limited(client):
    response = client.get("/admin/login/?next=/admin/")
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


# Ways out


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nobody_is_led_elsewhere(client, ada, rana, schedule, visit, address):
    client.force_login(ada.user)
    led = [
        client.post("/near/", {"next": address, "forget": "1"}),
        client.post("/language/", {"language": "es", "next": address}),
        client.post("/language/", {"language": "es"}, headers={"referer": address}),
        client.get("/details/", {"next": address}),
        client.post("/accounts/logout/", {"next": address}),
        client.post(f"/accounts/login/?next={address}", {"login": ada.user.email, "password": "secret-password"}),
    ]
    client.force_login(rana)
    message = CommunicationFactory(appointment=visit, status="completed", sent=timezone.now())
    led += [
        client.post("/staff/calendar/choose/", {"next": address}),
        client.post(f"/staff/messages/{message.fhir_id}/again/", {"next": address}),
    ]
    assert [each.url for each in led if "evil" in each.url or "javascript" in each.url] == []


def test_no_address_that_is_a_secret_is_told_to_other_sites(client, link):
    assert client.get(link)["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("page", ["", "attend/", "move/"])
def test_no_secret_address_is_in_the_logs(client, link, caplog, page):
    caplog.handler.addFilter(HideSecrets())
    with caplog.at_level(logging.DEBUG):
        client.put(link + page)
    assert "Method Not Allowed (PUT): /v/.../" in caplog.text
    assert link.split("/")[2] not in caplog.text


@pytest.mark.parametrize(
    ("address", "logged"),
    [
        ("Not Found: /calendars/a-secret.ics", "Not Found: /calendars/..."),
        ("Not Found: /unsubscribe/a.secret/", "Not Found: /unsubscribe/.../"),
        ("Not Found: /calendars/12/revoke/", "Not Found: /calendars/12/revoke/"),
    ],
)
def test_what_is_left_out_of_a_log(address, logged):
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s", (address,), None)
    assert HideSecrets().filter(record)
    assert record.getMessage() == logged


# What is put in


EVIL = '<img src=x onerror="alert(1)">'


def test_what_patients_write_is_text_on_every_page(client, visit, ada, chen):
    ada.given, visit.comment = EVIL, EVIL
    ada.save()
    visit.save()
    for user, pages in (
        (ada.user, (visit_page(visit), "/appointments/", "/messages/", "/preferences/")),
        (chen.user, (f"/staff/appointments/{visit.fhir_id}/", f"/staff/visits/{visit.fhir_id}/", "/staff/agenda/")),
    ):
        client.force_login(user)
        for page in pages:
            assert b"<img src=x" not in client.get(page).content, page


def test_a_file_is_downloaded_and_never_shown(as_ada, visit, checkup):
    """Whatever its kind is said to be."""
    from scheduling import questionnaires

    form = QuestionnaireFactory(item=[{"linkId": "1", "type": "attachment", "text": "A photograph"}])
    checkup.questionnaires.add(form)
    page = questionnaires.file_entry(b"<script>alert(1)</script>", "text/html", "page.html")
    answer = [{"linkId": "1", "answer": [{"valueAttachment": page}]}]
    given = QuestionnaireResponseFactory(appointment=visit, questionnaire=form, item=answer)
    address = f"{visit_page(visit)}answers/{given.fhir_id}/{questionnaires.hash_in_address(page['hash'])}/"
    response = as_ada.get(address)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_name_breaks_no_line_of_a_letter_or_a_calendar(client, visit, ada):
    ada.given = 'Ada\r\nBcc: all@example.com\r\n ";'
    ada.save()
    MessageTemplate.objects.create(
        event="confirmation", medium="email", language="en", subject="For {{ name }}", body="Hello {{ name }}"
    )
    notifications.booked(visit, now=timezone.now())
    while notifications.deliver_next(now=timezone.now()):
        pass
    [letter] = mail.outbox
    assert "\n" not in letter.subject
    assert letter.message()["Bcc"] is None
    [part] = [each for each in letter.message().walk() if each.get_content_type() == "text/calendar"]
    [event] = icalendar.Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")
    assert event["ATTENDEE"] == "mailto:" + ada.email


def test_what_fills_a_placeholder_is_no_template(visit, ada):
    ada.given = "{{ link }}{% now 'Y' %}"
    ada.save()
    notifications.booked(visit, now=timezone.now())
    while notifications.deliver_next(now=timezone.now()):
        pass
    assert "{{ link }}{% now 'Y' %}" in mail.outbox[0].body


def test_a_name_is_one_line(client, held):
    say_who(client, held, given="Eve\r\nBcc: all@example.com", family=" Stone\x07 ")
    prove(client, held)
    held.refresh_from_db()
    assert (held.patient.given, held.patient.family) == ("Eve Bcc: all@example.com", "Stone")


def test_what_is_kept_of_what_was_typed_has_an_end(client, held):
    many = {f"field-{n}": "x" * 5000 for n in range(200)} | {"y" * 5000: "1"}
    client.post(page_of(held, "about"), {**many, "keep": "1"})
    assert len(str(dict(client.session))) < 60_000


def test_what_is_larger_than_any_form_is_not_read(client, settings):
    too_large = str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE * 4 + 1)
    for length in (too_large, "-1", "many"):
        response = client.post("/near/", {"a": "b"}, headers={}, CONTENT_LENGTH=length)
        assert response.status_code == 413


# Calendars that others read along


def events(client, address):
    return icalendar.Calendar.from_ical(client.get(address).content).walk("VEVENT")


def feed_of(client, user):
    client.force_login(user)
    return client.post("/calendars/").context["address"].removeprefix("http://testserver")


def test_a_feed_gives_nobody_the_power_to_cancel(client, visit, ada, chen):
    for user, page in ((ada.user, visit_page(visit)), (chen.user, f"/staff/appointments/{visit.fhir_id}/")):
        [event] = events(client, feed_of(client, user))
        assert event["URL"].endswith(page)
        assert "/v/" not in str(event.to_ical())


def test_a_feed_ends_with_its_owners_account(client, visit, chen):
    address = feed_of(client, chen.user)
    chen.user.is_active = False
    chen.user.save()
    assert client.get(address).status_code == 404
    assert CalendarFeed.objects.get().revoked is None


# Staff who are patients too


def test_whoever_works_here_is_a_patient_like_others_elsewhere(client, visit, ada, schedule):
    """Her own visit is no staff's business of hers: neither its history nor its steps."""
    doctor = PractitionerFactory(user=ada.user)
    ScheduleFactory(actor=doctor, site=LocationFactory())
    client.force_login(ada.user)
    assert client.get(visit_page(visit)).status_code == 200
    assert client.get(f"/staff/appointments/{visit.fhir_id}/").status_code == 404
    assert client.post(f"/staff/appointments/{visit.fhir_id}/step/", {"status": "arrived"}).status_code in (302, 404)
    assert client.get(f"/staff/visits/{visit.fhir_id}/").status_code == 404
    visit.refresh_from_db()
    assert visit.status == "booked"


def test_failed_messages_are_of_ones_own_visits(client, visit, site):
    """Another practitioner of the same site learns nothing of them."""
    CommunicationFactory(appointment=visit, status="not-done", attempts=5, occasion="0")
    doctor = PractitionerFactory(user=UserFactory())
    ScheduleFactory(actor=doctor, site=site)
    client.force_login(doctor.user)
    assertNotContains(client.get("/staff/messages/"), "Quinn")
    client.force_login(UserFactory(desk_locations=[site]))
    assertContains(client.get("/staff/messages/"), "Quinn")
