"""Merges of records at the same moment as each other, and as bookings for the record that is merged."""

import pytest
from django.utils import timezone

from clinic.models import Appointment, Patient
from scheduling import booking
from scheduling.errors import RuleBroken
from scheduling.interactions import merging
from scheduling.interactions.merging import Merged, MergeRequest, RecordName
from tests.factories import PatientFactory
from tests.scheduling.situations import SOFTWARE, at_once, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def merge(source, target):
    request = MergeRequest(source=RecordName(fhir_id=source.fhir_id), target=RecordName(fhir_id=target.fhir_id))
    return lambda: merging.merge(request, caller=SOFTWARE, now=timezone.now())


def test_two_records_that_are_merged_into_each_other_at_once_leave_one(db):
    for _ in range(5):
        one, other = PatientFactory(), PatientFactory()
        outcomes = at_once([merge(one, other), merge(other, one)])
        assert sorted(type(each).__name__ for each in outcomes) == [Merged.__name__, RuleBroken.__name__]
        assert Patient.objects.filter(pk__in=[one.pk, other.pk], active=True).count() == 1


def test_the_same_merge_at_once_is_done_once(db):
    for _ in range(5):
        source, target = PatientFactory(), PatientFactory()
        assert {type(each) for each in at_once([merge(source, target)] * 4)} == {Merged}
        target.refresh_from_db()
        assert len(target.extra["link"]) == 1


def test_no_visit_is_left_with_a_record_that_is_merged_while_it_is_booked(service, chen):
    """A booking is before the merge, and moves with the record, or after it, and is refused or for the other one."""
    for day in range(4):
        source, target = PatientFactory(), PatientFactory()
        bookings = [wish(service, chen, at=monday(hour, days=day), patient=source) for hour in range(9, 15)]
        books = [lambda request=each: booking.book(request, caller=SOFTWARE, now=timezone.now()) for each in bookings]
        outcomes = at_once([*books, merge(source, target)])
        booked = [each for each in outcomes if isinstance(each, Appointment)]
        assert {type(each) for each in outcomes} <= {Appointment, Merged, RuleBroken}
        assert Merged in {type(each) for each in outcomes}
        assert not Appointment.objects.filter(patient=source).exists()
        assert Appointment.objects.filter(patient=target).count() == len(booked)
