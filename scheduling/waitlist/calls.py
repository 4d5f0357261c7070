"""Calls to patients on the waiting list, as staff note them: who called, when, and what came of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import Appointment, WaitlistCall
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.booking.transitions import audit
from scheduling.errors import Forbidden, NotFound


@refusals()
@transaction.atomic(durable=True)
def note_call(
    entry_id: str, outcome: WaitlistCall.Outcome, note: str = "", *, caller: Caller, now: datetime
) -> WaitlistCall:
    """Note that the caller has called somebody who waits. Raises NotFound, Forbidden."""
    entry = access.waiting(caller).select_related("service", "patient").filter(fhir_id=entry_id).first()
    if entry is None:
        raise NotFound(_("They are not on the waiting list any more."))
    if caller.client or not access.runs_waitlist(caller, entry.service):
        raise Forbidden
    call = WaitlistCall.objects.create(entry=entry, outcome=outcome, note=note, called=now, called_by=caller.user)
    audit("call", entry, caller=caller, now=now)
    return call


@refusals()
@transaction.atomic(durable=True)
def remove_call(call_id: int, *, caller: Caller, now: datetime) -> None:
    """Remove a call that the caller has noted by mistake. Raises NotFound for the calls of others."""
    calls = WaitlistCall.objects.select_for_update(of=("self",)).select_related("entry")
    call = calls.filter(pk=call_id, called_by=caller.user).first() if caller.user and not caller.client else None
    if call is None:
        raise NotFound(_("You can remove only calls that you have noted yourself."))
    audit("call removed", call.entry, caller=caller, now=now)
    call.delete()


def calls_of(entries: Iterable[Appointment]) -> Mapping[int, Sequence[WaitlistCall]]:
    """Return the calls about these entries, the latest first, by primary key of the entry. One statement."""
    found: dict[int, list[WaitlistCall]] = defaultdict(list)
    for call in WaitlistCall.objects.filter(entry__in=list(entries)).select_related("called_by"):
        found[call.entry_id].append(call)
    return found


def last_calls(caller: Caller, *, most: int | None) -> Sequence[WaitlistCall]:
    """Return the last calls about services that the caller works with, or all, the latest first. One statement."""
    calls = WaitlistCall.objects.filter(entry__service__in=access.services_worked_with(caller))
    return list(calls.select_related("called_by", "entry__patient", "entry__service", "entry__site")[:most])
