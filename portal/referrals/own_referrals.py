"""Referrals of the referrer who has signed in."""

from datetime import datetime

from django.http import Http404, HttpRequest

from portal.common.callers import caller_of
from scheduling import access
from scheduling.referrals import Referral, read_referrals


def own_referral(request: HttpRequest, referral_id: str, now: datetime) -> Referral:
    """Return a referral of the caller. Raises Http404 for any other."""
    rows = access.own_referrals(caller_of(request)).filter(fhir_id=referral_id)
    referral = next(iter(read_referrals(rows, now=now)), None)
    if referral is None:
        raise Http404
    return referral
