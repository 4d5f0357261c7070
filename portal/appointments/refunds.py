"""Refunds and fees of visits that a patient would cancel now, in words."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from clinic import money
from portal.appointments.visits import Visit
from scheduling import booking


def refund_text(visits: Sequence[Visit]) -> str:
    """Return the sentence about it; empty for visits without a payment."""
    every = (booking.cancellation_cost(visit.appointment, now=visit.now) for visit in visits)
    costs = [cost for cost in every if cost is not None]
    if not costs:
        return ""
    currency = costs[0].currency
    paid, back, fee = (sum(getattr(cost, name) for cost in costs) for name in ("paid", "back", "fee"))
    if fee:
        return _("The clinic may charge %(fee)s for cancelling this late.") % {"fee": money.text(fee, currency)}
    if not paid:
        return _("Nothing is charged to your card.")
    if not back:
        return _("The %(paid)s that you paid is not refunded.") % {"paid": money.text(paid, currency)}
    return _("You get %(back)s back.") % {"back": money.text(back, currency)}
