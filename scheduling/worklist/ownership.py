"""Use cases of the worklist: take an item, put it back, give it to a colleague, and put it off until a day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import time_text
from clinic.country import clinic_zone
from clinic.models import AuditEvent, User, WorkItem
from clinic.models.statements import insert
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.errors import Invalid, RuleBroken
from scheduling.worklist.colleagues import deals_with, find_row

MOST_DAYS_OFF = 90


@dataclass(frozen=True, slots=True)
class ItemName:
    """An item of the worklist as somebody has read it: its kind, its row, and the version of what is stored about it.

    The version is 0 if nobody had taken it or put it off.
    """

    kind: WorkItem.Kind
    row: int
    version: int = 0


class ItemTaken(RuleBroken):
    """Somebody else has taken the item, given it away or put it off since the caller read it."""

    code = "conflict"


@refusals()
@transaction.atomic(durable=True)
def take(name: ItemName, *, caller: Caller, now: datetime) -> WorkItem:
    """Make the caller the owner of an item. If two try at once, the second gets ItemTaken, which names the owner.

    An owner who takes the item again keeps it: a repeated call changes nothing.
    """
    item, visit = _locked(name, caller, now)
    if item.owner is not None and item.owner == caller.user:
        return item
    _require_unchanged(item, name, caller)
    item.owner = caller.user
    return _save(item, "item taken", visit, caller, now)


@refusals()
@transaction.atomic(durable=True)
def put_back(name: ItemName, *, caller: Caller, now: datetime) -> WorkItem:
    """Remove the owner of an item, and let it wait from now on. Raises ItemTaken."""
    item, visit = _locked(name, caller, now)
    _require_unchanged(item, name, caller)
    item.owner = item.put_off_until = None
    return _save(item, "item put back", visit, caller, now)


@refusals()
@transaction.atomic(durable=True)
def arrange(name: ItemName, owner: User | None, until: date | None, *, caller: Caller, now: datetime) -> WorkItem:
    """Give the item to a colleague, or to nobody, and have it wait again from a day on, or now.

    Raises ItemTaken; RuleBroken for a colleague who cannot deal with it; Invalid for a day that is not to come.
    """
    item, visit = _locked(name, caller, now)
    _require_unchanged(item, name, caller)
    if owner is not None and owner != item.owner and not deals_with(owner, name.kind, name.row, now=now):
        raise RuleBroken(_("%(name)s cannot deal with this. Choose somebody else.") % {"name": owner.display_name})
    today = now.astimezone(clinic_zone()).date()
    if until is not None and not today < until <= today + timedelta(days=MOST_DAYS_OFF):
        raise Invalid(_("Choose a day within the next %(days)s days.") % {"days": MOST_DAYS_OFF})
    item.owner, item.put_off_until = owner, until
    return _save(item, "item arranged", visit, caller, now)


def _locked(name: ItemName, caller: Caller, now: datetime) -> tuple[WorkItem, int | None]:
    """Return the stored item, locked until commit, and the primary key of its visit. An item without an owner is stored
    first.
    """
    row = find_row(caller, name.kind, name.row, now=now)
    if row is None:
        raise RuleBroken(_("This is no longer waiting: somebody has dealt with it, or it is over."))
    new = WorkItem(kind=name.kind, row=name.row, version=0, changed=now, changed_by=caller.user)
    WorkItem.objects.bulk_create([new], ignore_conflicts=True)
    rows = WorkItem.objects.select_for_update(no_key=True, of=("self",)).select_related("owner")
    return rows.get(kind=name.kind, row=name.row), row.visit_key


def _require_unchanged(item: WorkItem, name: ItemName, caller: Caller) -> None:
    """Raise ItemTaken, with who has it, if the item has changed since it was read."""
    if item.version == name.version:
        return
    if item.owner is not None and item.owner != caller.user:
        raise ItemTaken(_("%(name)s has this already.") % {"name": item.owner.display_name})
    if item.put_off_until is not None:
        day = time_text.long_day(item.put_off_until)
        raise ItemTaken(_("Somebody has put this off until %(day)s.") % {"day": day})
    raise ItemTaken(_("Somebody has changed this in the meantime. Look at it again."))


def _save(item: WorkItem, use_case: str, visit: int | None, caller: Caller, now: datetime) -> WorkItem:
    item.version, item.changed, item.changed_by = item.version + 1, now, caller.user
    item.save()
    action = AuditEvent.Action.UPDATE
    insert([access.audit_event(use_case, action, caller=caller, now=now, appointment_id=visit)])
    return item
