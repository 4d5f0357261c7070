"""A patient reads the cards of decision services: with the booked visit, or as the reason why it is not booked."""

import json

import pytest
from pytest_django.asserts import assertContains

from clinic.models import CdsService
from tests.portal.booking.steps import hold, page_of
from tests.receiver import receiving

pytestmark = pytest.mark.django_db(transaction=True)

CARD = {"summary": "Your plan ends this month", "indicator": "critical", "source": {"label": "Acme"}}
WORDS = "Acme: Your plan ends this month"


@pytest.fixture
def decision_service(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        receiver.body = json.dumps({"cards": [CARD]}).encode()
        yield CdsService.objects.create(name="Coverage", url=receiver.url)


def test_a_card_is_shown_with_the_booked_visit(as_ada, checkup, button_value, decision_service):
    held = hold(as_ada, checkup, button_value)
    page = as_ada.post(page_of(held, "confirm"), follow=True)
    assertContains(page, WORDS)
    held.refresh_from_db()
    assert held.status == "booked"


def test_a_card_that_stops_is_shown_on_the_page_of_the_hold(as_ada, checkup, button_value, decision_service):
    decision_service.stops = True
    decision_service.save()
    held = hold(as_ada, checkup, button_value)
    assertContains(as_ada.post(page_of(held, "confirm")), WORDS)
    held.refresh_from_db()
    assert held.status == "pending"
