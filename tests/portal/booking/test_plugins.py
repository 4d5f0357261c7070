"""A patient reads the words of a plug-in that refuses, and can choose another time."""

import pytest
from pytest_django.asserts import assertContains

from tests.portal.booking.steps import hold, page_of

pytestmark = pytest.mark.django_db(transaction=True)

NEVER = """
    class Rules(Plugin):
        def before_booking(self, facts):
            if facts.step == "{step}":
                yield PluginRefusal("Bring your papers to the desk first.")
            yield PluginWarning("Only for staff.")
    """


def test_when_the_time_is_chosen(as_ada, checkup, button_value, install):
    install.source("papers", NEVER.format(step="hold"))
    page = as_ada.post(f"/book/{checkup.fhir_id}/hold/", {"time": button_value}, follow=True)
    assertContains(page, "Bring your papers to the desk first.")


def test_when_the_visit_is_confirmed(as_ada, checkup, button_value, install):
    install.source("papers", NEVER.format(step="confirm"))
    held = hold(as_ada, checkup, button_value)
    page = as_ada.post(page_of(held, "confirm"))
    assertContains(page, "Bring your papers to the desk first.")
    held.refresh_from_db()
    assert held.status == "pending"
    assert "Only for staff." not in page.content.decode()
