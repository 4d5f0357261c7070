"""One payment for visits that are held together: one sum, all booked or none, and each gives back its own part."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, Communication, Payment
from scheduling import booking
from scheduling.errors import PaymentRequired
from tests.factories import ScheduleFactory, ServiceFactory
from tests.scheduling.payments.conftest import PRICE, begin, settle, sweep
from tests.scheduling.series import series_wish
from tests.scheduling.situations import book, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three(paid_service, chen, ada, patient_caller, local):
    """Holds of three weeks."""
    request = series_wish(paid_service, chen, patient=ada)
    return booking.hold_series(request, caller=patient_caller, now=timezone.now())


def statuses(visits):
    return set(Appointment.objects.filter(pk__in=[visit.pk for visit in visits]).values_list("status", flat=True))


def test_a_series_is_paid_by_one_sum_and_gives_back_part_by_part(local, three, patient_caller):
    payment = begin(three[1], patient_caller)
    assert payment.amount == 3 * PRICE
    assert "You pay $120.00 now." in payment.terms
    local.pay(payment.session)
    assert settle(payment) == "paid"
    assert statuses(three) == {"booked"}
    assert Communication.objects.filter(event="confirmation", medium="email").count() == 1

    booking.cancel(three[1].fhir_id, caller=patient_caller, now=timezone.now())
    sweep()
    payment.refresh_from_db()
    assert (payment.status, payment.refunded) == ("partly-refunded", PRICE)


def test_a_series_of_which_one_time_was_lost_is_not_paid_at_all(local, three, patient_caller, paid_service, chen, bo):
    payment = begin(three[0], patient_caller)
    for visit in three:
        run_out(visit)
    other = book(wish(paid_service, chen, at=three[2].start, patient=bo))
    local.pay(payment.session)
    assert settle(payment) == "released"
    assert statuses(three) == {"cancelled"}
    assert statuses([other]) == {"booked"}


def test_several_services_in_one_coming_are_paid_together(local, paid_service, chen, site, ada, patient_caller):
    free = ServiceFactory(name="Talk")
    deposit = ServiceFactory(name="Scan", prepayment="deposit", deposit=1500, refund_notice=timedelta(days=2))
    schedule = ScheduleFactory(services=[free, deposit])
    requests = [
        wish(free, schedule, at=monday(9), patient=ada),
        wish(paid_service, chen, at=monday(10), patient=ada),
        wish(deposit, schedule, at=monday(11), patient=ada),
    ]
    with pytest.raises(PaymentRequired):
        booking.book_combined(requests, caller=patient_caller, now=timezone.now())
    held = booking.hold_combined(requests, caller=patient_caller, now=timezone.now())
    assert booking.prepayment_of(held[0]) == "whole"
    payment = begin(held[0], patient_caller)
    assert payment.amount == PRICE + 1500
    assert [item.amount for item in payment.items.order_by("appointment__start")] == [0, PRICE, 1500]
    assert "Check-up:\n" in payment.terms
    assert "If you cancel at least 2 days before the visit" in payment.terms
    local.pay(payment.session)
    assert settle(payment) == "paid"
    assert statuses(held) == {"booked"}
    assert not Payment.objects.exclude(pk=payment.pk).exists()
