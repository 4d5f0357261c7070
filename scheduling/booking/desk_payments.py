"""Use cases of money that is taken at the desk: recording it, and correcting it by a counter entry."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import money
from clinic.models import DeskPayment
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.booking.refunds import handled_visit
from scheduling.booking.transitions import audit, save
from scheduling.errors import RuleBroken
from scheduling.payments import PAYABLE


@dataclass(frozen=True, kw_only=True)
class DeskPaymentRequest:
    """An amount in minor units that was taken. `key` is the form's: the same key again changes nothing."""

    amount: int
    method: str
    receipt: str = ""
    key: UUID


@refusals()
@transaction.atomic(durable=True)
def take_at_desk(appointment_id: str, request: DeskPaymentRequest, *, caller: Caller, now: datetime) -> DeskPayment:
    """Record what was taken at the desk for a visit. Raises NotFound, Forbidden, RuleBroken."""
    appointment = handled_visit(appointment_id, caller)
    known = DeskPayment.objects.filter(key=request.key, appointment=appointment).first()
    if known is not None:
        return known
    if appointment.patient is None or appointment.status not in PAYABLE:
        raise RuleBroken(_("Money is taken for a visit that is booked or took place."))
    taken = DeskPayment.objects.create(
        appointment=appointment,
        patient=appointment.patient,
        site=appointment.site,
        method=request.method,
        amount=request.amount,
        currency=money.clinic_currency(),
        receipt=request.receipt,
        taken=now,
        taken_by=caller.user,
        key=request.key,
    )
    if not appointment.has_payment:
        appointment.has_payment = True
        save(appointment, now)
    audit("desk payment", appointment, caller=caller, now=now)
    return taken


@refusals()
@transaction.atomic(durable=True)
def correct_at_desk(appointment_id: str, payment_id: int, reason: str, *, caller: Caller, now: datetime) -> DeskPayment:
    """Write the counter entry of what was taken at the desk: it counts as never taken.

    Raises NotFound, Forbidden, and RuleBroken for one that is a counter entry or has one.
    """
    appointment = handled_visit(appointment_id, caller)
    taken = DeskPayment.objects.filter(appointment=appointment, pk=payment_id, corrects=None, correction=None).first()
    if taken is None:
        raise RuleBroken(_("This entry has been corrected already."))
    counter = DeskPayment.objects.create(
        appointment=appointment,
        patient=taken.patient,
        site=taken.site,
        method=taken.method,
        amount=-taken.amount,
        currency=taken.currency,
        receipt=taken.receipt,
        taken=now,
        taken_by=caller.user,
        corrects=taken,
        reason=reason,
        key=uuid4(),
    )
    audit("desk correction", appointment, caller=caller, now=now, reason=reason)
    return counter
