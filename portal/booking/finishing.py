"""The end of a booking in this browser."""

from django.http import HttpRequest

from portal.booking import guests, holds, referrals
from portal.common import form_drafts


def finish(request: HttpRequest) -> None:
    """Forget the hold and what was typed for it, once the visit is booked."""
    holds.forget(request.session)
    referrals.forget(request.session)
    form_drafts.forget(request.session)
    guests.vouch(request)
