"""Patients confirm that they will come."""

import pytest
from django.utils import timezone

from clinic.models import AuditEvent
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import IllegalTransition, NotFound, RuleBroken
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visit(service, chen, ada):
    return book(wish(service, chen, at=monday(10), patient=ada))


def attend(visit, caller=SOFTWARE):
    return booking.confirm_attendance(visit.fhir_id, caller=caller, now=timezone.now())


def test_it_is_noted_when_they_said_so_and_by_whom(visit, ada):
    before = timezone.now()
    confirmed = attend(visit, Caller(user=ada.user))
    assert before <= confirmed.attendance_confirmed <= timezone.now()
    assert AuditEvent.objects.get(subtype="attend").user == ada.user


def test_said_again_nothing_changes(visit):
    first, second = attend(visit), attend(visit)
    assert (second.attendance_confirmed, second.version) == (first.attendance_confirmed, first.version)
    assert AuditEvent.objects.filter(subtype="attend").count() == 1


def test_the_manage_link_confirms_its_visit(visit):
    assert attend(visit, Caller(visit=visit.fhir_id)).attendance_confirmed is not None
    with pytest.raises(NotFound):
        attend(visit, Caller(visit="another"))


def test_it_was_said_of_the_old_time_only(visit, service, chen):
    attend(visit)
    offerings = wish(service, chen, at=monday(11)).offerings
    booking.reschedule(
        visit.fhir_id,
        booking.RescheduleRequest(offerings=offerings, start=monday(11)),
        caller=SOFTWARE,
        now=timezone.now(),
    )
    visit.refresh_from_db()
    assert visit.attendance_confirmed is None


def test_a_hold_or_a_cancelled_visit_cannot_be_confirmed(visit, service, chen, bo):
    held = hold(wish(service, chen, at=monday(14), patient=bo))
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    for each in (held, visit):
        with pytest.raises(IllegalTransition, match="cannot become confirmed"):
            attend(each)


def test_staff_undo_what_was_recorded_by_mistake(visit, boss, ada):
    attend(visit)
    for caller in (SOFTWARE, Caller(user=ada.user), Caller(visit=visit.fhir_id)):
        with pytest.raises(RuleBroken, match="Only clinic staff"):
            booking.undo_attendance(visit.fhir_id, caller=caller, now=timezone.now())
    for _ in range(2):
        undone = booking.undo_attendance(visit.fhir_id, caller=boss, now=timezone.now())
        assert undone.attendance_confirmed is None
    assert AuditEvent.objects.filter(subtype="correct", user=boss.user).count() == 1
