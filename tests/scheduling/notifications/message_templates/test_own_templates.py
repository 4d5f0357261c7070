"""The clinic's own templates of messages, for all services or for one."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from clinic import message_templates, placeholders
from clinic.models import Medium, MessageTemplate
from scheduling.notifications import links
from tests.factories import (
    AppointmentFactory,
    MessageTemplateFactory,
    ServiceFactory,
)
from tests.scheduling.notifications.message_templates.letters_of_visit import LANGUAGES, START, WITH_WORDS, letter

pytestmark = pytest.mark.django_db


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
