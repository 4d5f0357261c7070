"""Payment before booking: a hold becomes a booking once its patient has paid, or left a card for a fee.

The amount is only reserved when the patient pays. Booking the visits and the order to take the amount are one
transaction; if the time was lost meanwhile, the order to release the amount is written instead. So nobody has paid and
lost the time. The provider is asked outside of every transaction, and a payment is settled by the first process: the
webhook, the patient's page, or the sweep, which goes on wherever a process has died. Payments after booking go the same
way, and differ in how they begin and end: scheduling.booking.later_payments.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from clinic import money
from clinic.models import Appointment, Payment, PaymentItem, PaymentOrder
from clinic.parking import Parking
from scheduling import access, notifications, payments
from scheduling.access import Caller
from scheduling.booking.cancellation import end_visit
from scheduling.booking.confirmation import AS_IT_IS, PAID, confirm_locked
from scheduling.booking.holds import HOLD_EXPIRED, keep_slots, lock_free_patients, require_held
from scheduling.booking.idempotency import refusals
from scheduling.booking.judging import is_judged, with_judgement
from scheduling.booking.later_payments import conclude_later, is_still_due
from scheduling.booking.payment_orders import order, perform_orders
from scheduling.booking.request import StatusRequest
from scheduling.booking.slots import bookables_of, own_bookables
from scheduling.booking.transitions import audit, locked, save
from scheduling.errors import HoldExpired, RuleBroken, ScheduleBusy, SchedulingError
from scheduling.payments import CheckoutRequest, CheckoutResult, CheckoutState, Terms
from scheduling.plugins import BookingStep

PAYMENTS = Caller(client="payments")
OPEN = (Payment.Status.CREATED, Payment.Status.PAYING)
PAGE_LASTS = timedelta(minutes=31)  # after the hold: Stripe's pages last half an hour at least. The sweep closes them.
HELD_AGAIN_FOR = timedelta(minutes=1)
CHECKED_EVERY = timedelta(seconds=10)
BATCH = 20


class _Rehearsed(Exception):
    """Raised to undo a rehearsal."""


def start_payment(appointment_id: str, *, caller: Caller, now: datetime) -> Payment:
    """Begin to pay for a hold, or for all holds of its series, and hold the time until it is paid, once.

    The caller has agreed to the terms, which are kept. A payment that is begun already is returned again. Raises
    everything that confirming the holds would raise.
    """
    if is_judged(BookingStep.CONFIRM):
        request = with_judgement(BookingStep.CONFIRM, AS_IT_IS, caller=caller, now=now, appointment_id=appointment_id)
        request.judgement.warnings_unless_refused()
    with refusals(), transaction.atomic(durable=True):
        return _start(appointment_id, caller, now)


def open_checkout(payment: Payment, *, success_url: str, cancel_url: str, language: str, now: datetime) -> str:
    """Return the address of the provider's page for an open payment. A repeated call returns the same page.

    Raises ProviderUnavailable, Declined.
    """
    if payment.url:
        return payment.url
    assert payment.expires_at is not None  # it is open
    request = CheckoutRequest(
        key=str(payment.reference),
        amount=payment.amount,
        currency=payment.currency,
        label=settings.CLINIC_NAME,
        language=language,
        email=payment.patient.email,
        success_url=success_url,
        cancel_url=cancel_url,
        expires_at=payment.expires_at + PAGE_LASTS,
    )
    checkout = payments.provider().open_checkout(request)
    created = Payment.objects.filter(pk=payment.pk, status=Payment.Status.CREATED)
    created.update(status=Payment.Status.PAYING, session=checkout.session, url=checkout.url, last_updated=now)
    return checkout.url


def settle_session(session: str, *, now: datetime) -> None:
    """Settle the payment of a page of the provider. Other pages of the same account are ignored."""
    payment = Payment.objects.filter(session=session).first() if session else None
    if payment is not None:
        settle_payment(payment, now=now)


def settle_payment(payment: Payment, *, now: datetime) -> Payment:
    """Ask the provider for the outcome of an open payment, and book its visits or release the amount.

    Raises ProviderUnavailable.
    """
    if not payment.is_open:
        return payment
    settled = _conclude(payment.pk, _result(payment, now), now)
    perform_orders(now=now, payment=settled)
    settled.refresh_from_db()
    return settled


def settle_open_payments(*, now: datetime) -> int:
    """Settle the payments that are open, a batch at a time. Returns the number of those that were asked about."""
    aside = Parking("settle payments", Payment, now=now)
    open_payments = Payment.objects.filter(status__in=OPEN).exclude(pk__in=aside.waiting)
    with transaction.atomic(durable=True):
        unchecked = open_payments.filter(Q(checked=None) | Q(checked__lte=now - CHECKED_EVERY))
        due = list(
            unchecked.select_for_update(skip_locked=True, no_key=True).order_by(
                F("checked").asc(nulls_first=True), "pk"
            )[:BATCH]
        )
        asked = Payment.objects.filter(pk__in=[payment.pk for payment in due])
        aside.process_together(asked, lambda rows: rows.update(checked=now))
    sound = [payment for payment in due if payment.pk not in aside.waiting]
    aside.process_each(sound, lambda payment: settle_payment(payment, now=now), writes=False)
    return len(due)


def terms_for(appointment: Appointment) -> Terms:
    """The terms for paying for a hold, and for all that are held together with it."""
    return payments.terms_of(_held_together(appointment), money.clinic_currency())


def prepayment_of(appointment: Appointment) -> str:
    """The Prepayment that a hold, with all that are held together with it, needs before it is booked; empty for none.

    One query for a hold of several visits.
    """
    return payments.purpose_of(_held_together(appointment))


def _held_together(appointment: Appointment) -> list[Appointment]:
    if appointment.series is None:
        return [appointment]
    held = Appointment.objects.filter(series=appointment.series, status=Appointment.Status.PENDING, deleted_at=None)
    return list(held.select_related("service", "patient").order_by("pk"))


def open_payment_of(appointment: Appointment) -> Payment | None:
    """The payment of a visit that is begun and not settled yet."""
    if not appointment.has_payment:
        return None
    return Payment.objects.filter(appointments=appointment, status__in=OPEN).first()


def latest_payment_of(appointment: Appointment) -> Payment | None:
    """The visit's latest payment."""
    return Payment.objects.filter(appointments=appointment).first() if appointment.has_payment else None


def _start(appointment_id: str, caller: Caller, now: datetime) -> Payment:
    visits = _locked_holds(appointment_id, caller)
    for visit in visits:
        require_held(visit, now)
    if not payments.purpose_of(visits):
        raise RuleBroken(_("Nothing is paid for this visit before it is booked."))
    if not payments.is_set_up():
        raise RuleBroken(_("This visit cannot be paid for online at the moment. Please call the clinic."))
    if (begun := open_payment_of(visits[0])) is not None:
        return begun
    _rehearse(visits, caller, now)
    return _begin(_locked_holds(appointment_id, caller), caller, now)


def _begin(visits: Sequence[Appointment], caller: Caller, now: datetime) -> Payment:
    """Write the payment of these locked holds, and extend the holds unless that was done for an earlier payment."""
    patient = visits[0].patient
    assert patient is not None  # the rehearsal has refused holds without one
    currency = money.clinic_currency()
    amounts = [payments.sum_of(visit) for visit in visits]
    own_bookables(bookable for visit in visits for bookable in bookables_of(visit))
    expires = [_extend(visit, now) for visit in visits]
    payment = Payment.objects.create(
        patient=patient,
        purpose=payments.purpose_of(visits),
        amount=sum(amounts),
        fee=payments.fee_of(visits),
        currency=currency,
        terms=payments.terms_of(visits, currency).text,
        agreed=now,
        created=now,
        last_updated=now,
        expires_at=min(expires),
    )
    items = zip(visits, amounts, strict=True)
    PaymentItem.objects.bulk_create(
        PaymentItem(payment=payment, appointment=visit, amount=amount) for visit, amount in items
    )
    for visit in visits:
        audit("pay", visit, caller=caller, now=now)
    return payment


def _extend(visit: Appointment, now: datetime) -> datetime:
    """Let a locked hold last while its patient pays. Needs `own_bookables`. Returns the end of the hold."""
    assert visit.hold_expires_at is not None  # require_held
    if not visit.has_payment:
        visit.hold_expires_at = max(visit.hold_expires_at, now + settings.PAYING_FOR)
        keep_slots(visit, now, expires=visit.hold_expires_at)
    visit.has_payment = True
    save(visit, now)
    return visit.hold_expires_at


def _locked_holds(appointment_id: str, caller: Caller) -> list[Appointment]:
    """The hold, with the other holds of its series, locked in the order in which all lock them."""
    named = access.changeable_appointment(caller, appointment_id)
    if named.series is None:
        return [locked(appointment_id, caller)]
    held = Appointment.objects.filter(series=named.series, status=Appointment.Status.PENDING, deleted_at=None)
    ids = list(held.order_by("pk").values_list("fhir_id", flat=True))
    return [locked(fhir_id, caller) for fhir_id in ids or [appointment_id]]


def _rehearse(visits: Collection[Appointment], caller: Caller, now: datetime) -> None:
    """Raise what confirming these holds would raise, so that nobody pays for visits that would be refused."""
    try:
        with transaction.atomic():
            for visit in visits:
                confirm_locked(visit, PAID, caller=caller, now=now)
            raise _Rehearsed
    except _Rehearsed:
        pass


def _result(payment: Payment, now: datetime) -> CheckoutResult:
    """The state of the payment at the provider. A page that nobody may pay on any more is closed."""
    assert payment.expires_at is not None  # it is open
    is_over = payment.expires_at <= now or not _is_wanted(payment)
    if not payment.session:  # nobody has seen the page
        return CheckoutResult(state=CheckoutState.OVER if is_over else CheckoutState.OPEN)
    provider = payments.provider()
    result = provider.read_checkout(payment.session)
    if result.state == CheckoutState.OPEN and is_over:
        provider.end_checkout(payment.session)
        result = provider.read_checkout(payment.session)
    return result


def _is_wanted(payment: Payment) -> bool:
    """True if its visits are still held, or its amount is still due."""
    if payment.is_later:
        return is_still_due(payment)
    return not payment.appointments.exclude(status=Appointment.Status.PENDING).exists()


@refusals()
@transaction.atomic(durable=True)
def _conclude(pk: int, result: CheckoutResult, now: datetime) -> Payment:
    """Write the outcome of an open payment, once: its visits are booked or paid, or the amount is released."""
    visits = _locked_visits(pk)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=pk)
    if not payment.is_open or result.state == CheckoutState.OPEN:
        return payment
    payment.last_updated = now
    payment.intent, payment.customer, payment.card = result.intent, result.customer, result.card
    if result.state == CheckoutState.OVER:
        payment.status = Payment.Status.EXPIRED
    elif payment.is_later:
        conclude_later(payment, visits[0], caller=PAYMENTS, now=now)
    elif not _book(visits, now):
        _let_go(payment, now)
    elif payment.card:
        payment.status = Payment.Status.KEPT
    else:
        payment.status = Payment.Status.AUTHORISED
        order(payment, PaymentOrder.Kind.CAPTURE, now=now, amount=payment.amount)
    payment.save()
    return payment


def _locked_visits(pk: int) -> list[Appointment]:
    rows = Appointment.objects.filter(payment_items__payment=pk).select_related("service", "patient")
    return list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))


def _book(visits: Sequence[Appointment], now: datetime) -> bool:
    """Book the held visits. Returns False, with nothing changed, if one of them is no longer free.

    A hold that has expired is booked all the same if its time is still free.
    """
    held = [visit for visit in visits if visit.status != Appointment.Status.BOOKED]
    try:
        with refusals(), transaction.atomic():
            _hold_again(held, now)
            for visit in held:
                confirm_locked(visit, PAID, caller=PAYMENTS, now=now)
    except ScheduleBusy:
        raise
    except SchedulingError:
        return False
    if len(held) > 1:
        notifications.combined_agreed(held, now=now)
    elif held:
        notifications.booked(held[0], now=now)
    return True


def _hold_again(visits: Sequence[Appointment], now: datetime) -> None:
    """Let expired holds count again for a moment. Raises HoldExpired if the time is taken or has passed."""
    expired = [visit for visit in visits if visit.hold_expires_at is not None and visit.hold_expires_at <= now]
    for visit in expired:
        if visit.start is None or visit.start <= now:
            raise HoldExpired
        lock_free_patients(visit, now)
    own_bookables(bookable for visit in expired for bookable in bookables_of(visit))
    for visit in expired:
        visit.hold_expires_at = now + HELD_AGAIN_FOR
        keep_slots(visit, now, expires=visit.hold_expires_at)


def _let_go(payment: Payment, now: datetime) -> None:
    """Refund a patient who has lost the time, release what is still held, and tell them."""
    payment.status = Payment.Status.RELEASED
    order(payment, PaymentOrder.Kind.FORGET if payment.card else PaymentOrder.Kind.RELEASE, now=now)
    visits = _locked_visits(payment.pk)
    for visit in visits:
        if visit.status == Appointment.Status.PENDING:
            request = StatusRequest(reason=HOLD_EXPIRED)
            end_visit(visit, Appointment.Status.CANCELLED, request, caller=PAYMENTS, now=now, subtype="expire")
    notifications.time_lost(visits[0], payment.amount, payment.currency, now=now)
