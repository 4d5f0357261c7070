"""Message templates in the administration."""

import pytest
from pytest_django.asserts import assertContains

from clinic.models import MessageTemplate
from tests.factories import MessageTemplateFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/clinic/messagetemplate/add/"
WORDS = {"event": "confirmation", "medium": "email", "language": "en", "subject": "See you on {{ time }}"}


@pytest.fixture
def as_administrator(client):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def test_the_form_lists_the_placeholders(as_administrator):
    page = as_administrator.get(ADD)
    assertContains(page, "<code>{{ when }}</code> day, time and zone of the visit, in full", html=False)
    assertContains(page, "Spanish")


def test_a_preview_shows_a_sample_visit_in_the_templates_language(as_administrator):
    ours = MessageTemplateFactory(language="es", subject="Hasta el {{ time }}", body="{{ name }}, <b>{{ when }}</b>.")
    page = as_administrator.get(f"/admin/clinic/messagetemplate/{ours.pk}/change/")
    assertContains(page, "Ada, &lt;b&gt;")
    assertContains(page, "24 de noviembre de 2026")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Come on {{ wen }}.", "There is no placeholder {{ wen }}. You can use: {{ name }}, {{ when }}"),
        ("{% if name %}Come.{% endif %}", "Only placeholders such as {{ when }} can be used"),
    ],
)
def test_a_text_that_cannot_be_filled_in_is_refused(as_administrator, body, text):
    assertContains(as_administrator.post(ADD, {**WORDS, "body": body}), text)
    assert not MessageTemplate.objects.exists()


def test_a_text_that_can_be_filled_in_is_saved(as_administrator):
    as_administrator.post(ADD, {**WORDS, "body": "We look forward to seeing you on {{ when }}."})
    assert MessageTemplate.objects.get().subject == WORDS["subject"]


def test_a_template_of_a_service_is_previewed_with_that_service(as_administrator):
    service = ServiceFactory(name="Colonoscopy", preparation="Fast from midnight on.")
    words = {**WORDS, "body": "{{ service }}: {{ preparation }}", "service": service.pk}
    as_administrator.post(ADD, words)
    ours = MessageTemplate.objects.get()
    assert ours.service == service
    page = as_administrator.get(f"/admin/clinic/messagetemplate/{ours.pk}/change/")
    assertContains(page, "Colonoscopy: Fast from midnight on.")
    assertContains(as_administrator.post(ADD, words), "already exists")


def test_a_code_is_about_no_service(as_administrator):
    words = {**WORDS, "event": "proof", "subject": "Code", "body": "{{ code }}", "service": ServiceFactory().pk}
    assertContains(as_administrator.post(ADD, words), "Codes are not about a service. Leave this empty.")
