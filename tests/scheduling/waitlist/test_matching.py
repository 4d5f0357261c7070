"""Order in which a time is offered to the waiting list, and entries that are passed over as it does not suit them."""

from datetime import timedelta

import pytest

from clinic.models import Appointment
from tests.factories import LocationFactory, PatientFactory, PractitionerFactory
from tests.scheduling.situations import book, monday, wish
from tests.scheduling.waitlist.acts import cancel, last_offer, offers, work

pytestmark = pytest.mark.django_db(transaction=True)
MONTH = timedelta(days=30)


@pytest.mark.parametrize(("order", "asked"), [("longest", 0), ("urgent", 2), ("booked", 4)])
def test_the_order_of_the_service_says_who_is_asked_first(service, chen, taken, join, order, asked):
    service.waitlist_order = order
    service.save()
    entries = [join(), join(priority=5), join(priority=1)]
    for hour in (15, 16):
        patient = PatientFactory(email=f"at{hour}@example.com")
        visit = book(wish(service, chen, at=monday(hour), patient=patient))
        entries.append(join(patient, replaces=visit.reference))
    cancel(taken)
    work()
    assert offers() == [(entries[asked], monday(10), "open")]
    assert (last_offer().rule, last_offer().passed) == (order, [])


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"weekdays": frozenset({"tue", "fri"})}, "weekday"),
        ({"parts": frozenset({"afternoon"})}, "part-of-day"),
        ({"not_before": monday(10) + MONTH}, "too-early"),
        ({"until": monday(9)}, "too-late"),
        ({"notice": timedelta(days=20)}, "notice"),
    ],
)
def test_whom_the_time_does_not_suit_is_passed_over_and_the_log_says_why(taken, join, wishes, reason):
    first, second = join(**wishes), join(weekdays=frozenset({"mon"}), parts=frozenset({"morning"}))
    cancel(taken)
    work()
    assert offers() == [(second, monday(10), "open")]
    assert last_offer().passed == [[first.fhir_id, reason]]


def test_whoever_wants_another_practitioner_or_site_is_passed_over(chen, taken, join):
    chen.site = LocationFactory()
    chen.save()
    other_person, other_site, here = (
        join(actors=tuple((each.reference, str(each)) for each in wanted))
        for wanted in ([PractitionerFactory()], [LocationFactory()], [chen.actor, chen.site])
    )
    cancel(taken)
    work()
    assert offers() == [(here, monday(10), "open")]
    assert last_offer().passed == [[other_person.fhir_id, "practitioner"], [other_site.fhir_id, "site"]]


def test_whose_visit_cannot_move_to_the_time_is_passed_over(service, chen, taken, join):
    def with_visit(hour):
        patient = PatientFactory(email=f"at{hour}@example.com")
        visit = book(wish(service, chen, at=monday(hour), patient=patient))
        return visit, join(patient, replaces=visit.reference)

    _, earlier = with_visit(9)
    gone, without = with_visit(15)
    Appointment.objects.filter(pk=gone.pk).update(status="cancelled")
    anybody = join()
    cancel(taken)
    work()
    assert offers() == [(anybody, monday(10), "open")]
    assert last_offer().passed == [[earlier.fhir_id, "not-earlier"], [without.fhir_id, "no-visit"]]


def test_whose_visit_can_no_longer_be_cancelled_is_passed_over(service, chen, taken, join):
    patient = PatientFactory(email="fixed@example.com")
    fixed = join(patient, replaces=book(wish(service, chen, at=monday(15), patient=patient)).reference)
    anybody = join()
    service.cancellation_notice = MONTH
    service.save()
    cancel(taken)
    work()
    assert offers() == [(anybody, monday(10), "open")]
    assert last_offer().passed == [[fixed.fhir_id, "visit-fixed"]]
