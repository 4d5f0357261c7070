"""The links of messages: for the visit, and to unsubscribe."""

from datetime import timedelta

import pytest
from django.core import mail

from scheduling.notifications import links
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
)
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db


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
