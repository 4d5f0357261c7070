"""One ticket gives one visit, however many browsers use it at once."""

import pytest
from django.db import connection

from clinic.models import Appointment, HealthcareService
from clinic.models.appointment import ONE_VISIT_FOR_A_TICKET
from scheduling.access import Caller
from scheduling.booking import BookingRequest
from scheduling.errors import RuleBroken, TimeTaken
from tests.factories import ReferralFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.races.arena import ALWAYS_OPEN, kinds
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
BROWSERS = 4


@pytest.fixture
def unguarded(without_row_locks, monkeypatch):
    """Nobody is asked if the ticket is used: only the constraint is left."""
    monkeypatch.setattr("scheduling.booking.referrals._require_usable", lambda *_: None)


@pytest.fixture
def without_the_constraint():
    constraint = next(each for each in Appointment._meta.constraints if each.name == ONE_VISIT_FOR_A_TICKET)
    with connection.schema_editor() as editor:
        editor.remove_constraint(Appointment, constraint)
    yield
    Appointment.objects.update(referral=None)
    with connection.schema_editor() as editor:
        editor.add_constraint(Appointment, constraint)


def race():
    """Browsers that have one link book different times with it at once."""
    service = ServiceFactory(hours=ALWAYS_OPEN, bookable_by=HealthcareService.BookableBy.REFERRED)
    schedule = ScheduleFactory(services=[service])
    ticket = ReferralFactory(service=service)
    extra = {"basedOn": [{"reference": ticket.reference}]}

    def by(browser):
        request = wish(service, schedule, at=monday(9 + browser), patient=ticket.patient)
        caller = Caller(guest=f"browser-{browser}", proven_tickets=frozenset({ticket.fhir_id}))
        return lambda: book(BookingRequest(**{**vars(request), "extra": extra}), caller)

    return kinds(at_once([by(browser) for browser in range(BROWSERS)]))


def visits():
    return Appointment.objects.filter(status="booked", referral__isnull=False).count()


def test_one_of_several_browsers_gets_the_visit():
    assert race() == {Appointment: 1, RuleBroken: BROWSERS - 1}
    assert visits() == 1


def test_the_constraint_alone_decides_it(unguarded):
    assert race() == {Appointment: 1, TimeTaken: BROWSERS - 1}
    assert visits() == 1


def test_without_any_guard_one_ticket_gives_several_visits(unguarded, without_the_constraint):
    """The control."""
    assert race() == {Appointment: BROWSERS}
    assert visits() == BROWSERS
