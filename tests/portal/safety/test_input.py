"""Malicious input, and its safe output."""

import icalendar
import pytest
from django.core import mail
from django.utils import timezone

from clinic.models import MessageTemplate
from scheduling import notifications
from tests.factories import QuestionnaireFactory, QuestionnaireResponseFactory
from tests.portal.booking.steps import page_of, prove, say_who, visit_page
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db
EVIL = '<img src=x onerror="alert(1)">'


def test_patients_text_is_escaped_on_every_page(client, visit, ada, chen):
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
    """A file of any declared type is downloaded."""
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
    deliver(timezone.now())
    [letter] = mail.outbox
    assert "\n" not in letter.subject
    assert letter.message()["Bcc"] is None
    [part] = [each for each in letter.message().walk() if each.get_content_type() == "text/calendar"]
    [event] = icalendar.Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")
    assert event["ATTENDEE"] == "mailto:" + ada.email


def test_values_of_placeholders_are_not_rendered_as_templates(visit, ada):
    ada.given = "{{ link }}{% now 'Y' %}"
    ada.save()
    notifications.booked(visit, now=timezone.now())
    deliver(timezone.now())
    assert "{{ link }}{% now 'Y' %}" in mail.outbox[0].body


def test_a_name_is_one_line(client, held):
    say_who(client, held, given="Eve\r\nBcc: all@example.com", family=" Stone\x07 ")
    prove(client, held)
    held.refresh_from_db()
    assert (held.patient.given, held.patient.family) == ("Eve Bcc: all@example.com", "Stone")


def test_kept_drafts_expire(client, held):
    many = {f"field-{n}": "x" * 5000 for n in range(200)} | {"y" * 5000: "1"}
    client.post(page_of(held, "about"), {**many, "keep": "1"})
    assert len(str(dict(client.session))) < 60_000


def test_a_body_larger_than_any_form_is_refused(client, settings):
    too_large = str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE * 4 + 1)
    for length in (too_large, "-1", "many"):
        response = client.post("/near/", {"a": "b"}, headers={}, CONTENT_LENGTH=length)
        assert response.status_code == 413
