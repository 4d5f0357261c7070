"""Order in which a time is offered to the waiting list, and entries that are passed over as it does not suit them."""

from datetime import timedelta

import pytest

from tests.factories import PatientFactory
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
