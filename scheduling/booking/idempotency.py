"""Decorator for use cases: one durable transaction, database errors as our errors, one response for each
Idempotency-Key.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar, cast

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _
from psycopg import errors

from clinic.models import Appointment, IdempotencyKey
from clinic.models.appointment import ONE_VISIT_FOR_A_TICKET
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import (
    STORED_CODES,
    HoldExpired,
    Invalid,
    Issue,
    RuleBroken,
    ScheduleBusy,
    SchedulingError,
    TimeTaken,
)

P = ParamSpec("P")
T = TypeVar("T")
Written: TypeAlias = Appointment | tuple[Appointment, ...]  # what a use case returns: a visit, or those of a series
WrittenT = TypeVar("WrittenT", Appointment, tuple[Appointment, ...])


class AlreadyAnswered(Exception):
    """The key was used before for the same request: `answer` is the stored response."""

    def __init__(self, answer: Any) -> None:
        super().__init__("This request was answered before.")
        self.answer = answer


class RefusedAndKept(Exception):
    """Raised by a use case whose writes are committed although it is refused: it has written `appointment`."""

    def __init__(self, refusal: SchedulingError, appointment: Appointment) -> None:
        super().__init__(str(refusal))
        self.refusal, self.appointment = refusal, appointment


def visits_of(written: Written) -> tuple[Appointment, ...]:
    """The visits that a use case has written."""
    return written if isinstance(written, tuple) else (written,)


@dataclass(frozen=True, kw_only=True)
class Once:
    """An Idempotency-Key with its owner, a hash of its request (`fingerprint`), and the function that builds the
    response.

    `tell` translates a refusal in place into the API's or the page's words before it is stored.
    """

    owner: str
    key: str
    fingerprint: str
    answer: Callable[[Any], Any]
    tell: Callable[[SchedulingError], None] = lambda refusal: None


def use_case(act: Callable[P, WrittenT]) -> Callable[P, WrittenT]:
    """Run the function in one durable transaction, and only once for each idempotency key.

    The function takes `now` and `caller` and declares `once`, which is handled here. A repeated key raises
    AlreadyAnswered or the first refusal; Invalid if it was used for another request. Raises Forbidden if the token's
    scopes do not cover the resulting appointments. A refusal undoes everything, unless it is RefusedAndKept.
    """

    call = cast(Callable[..., Written], act)

    @wraps(act)
    def run(*args: Any, caller: Caller, now: datetime, once: Once | None = None, **named: Any) -> Written:
        def acted() -> Written | SchedulingError:
            refusal = None
            try:
                written = call(*args, caller=caller, now=now, **named)
            except RefusedAndKept as kept:
                refusal, written = kept.refusal, kept.appointment
            visits = visits_of(written)
            done = "c" if visits[0].version == 1 else "u"
            access.require_within_scopes(Appointment, [visit.pk for visit in visits], caller, done)
            return refusal or written

        with refusals(), transaction.atomic(durable=True):
            outcome: Written | SchedulingError = acted() if once is None else first_time(once, acted, now)
        if isinstance(outcome, SchedulingError):
            raise outcome
        return outcome

    return cast(Callable[P, WrittenT], run)


def recall(once: Once) -> None:
    """Raise the stored response to this key, if any; Invalid if it was used for another request."""
    first = IdempotencyKey.objects.filter(owner=once.owner, key=once.key).first()
    if first is None:
        return
    if first.fingerprint != once.fingerprint:
        raise Invalid("This Idempotency-Key was used for another request. Use a new one.")
    answer = cast(dict[str, Any], first.answer)
    if "refusal" in answer:
        raise _read(answer["refusal"])
    raise AlreadyAnswered(answer["answer"])


@contextmanager
def refusals() -> Iterator[None]:
    """Translate PostgreSQL's refusals into our errors."""
    try:
        yield
    except DatabaseError as error:
        match error.__cause__:
            case errors.ExclusionViolation(diag=diag) if diag.constraint_name == ONE_VISIT_FOR_A_TICKET:
                raise RuleBroken(_("A visit is booked with this referral already.")) from error
            case errors.ExclusionViolation():
                raise TimeTaken from error
            case errors.LockNotAvailable():
                raise ScheduleBusy from error
            case errors.DataException():  # a range that ends before it begins: expired by the database's clock
                raise HoldExpired from error
        raise


def first_time(once: Once, act: Callable[[], T | SchedulingError], now: datetime) -> T | SchedulingError:
    """Claim the key, run the use case and store the response. Waits while another process handles the same request.

    A refusal is stored as a response too; the savepoint undoes its writes. The caller raises it after the commit.
    """
    if not _claim(once, now):
        recall(once)
    try:
        with refusals(), transaction.atomic():
            outcome: T | SchedulingError = act()
    except ScheduleBusy:
        raise  # no response is stored: the whole transaction is undone, with the key
    except SchedulingError as refusal:
        outcome = refusal
    if isinstance(outcome, SchedulingError):
        once.tell(outcome)
        _keep(once, {"refusal": _written(outcome)})
    else:
        _keep(once, {"answer": once.answer(outcome)})
    return outcome


def _claim(once: Once, now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO clinic_idempotencykey (owner, key, fingerprint, created) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (owner, key) DO NOTHING",
            [once.owner, once.key, once.fingerprint, now],
        )
        return bool(cursor.rowcount == 1)


def _keep(once: Once, answer: dict[str, Any]) -> None:
    IdempotencyKey.objects.filter(owner=once.owner, key=once.key).update(answer=answer)


def _written(refusal: SchedulingError) -> dict[str, Any]:
    """The refusal as it is stored: the code of its class, or of the nearest base class that has one, and its issues."""
    codes = {kind: code for code, kind in STORED_CODES.items()}
    code = next(codes[kind] for kind in type(refusal).__mro__ if kind in codes)
    issues = [[issue.code, issue.text, issue.expression, issue.diagnostics] for issue in refusal.issues]
    return {"kind": code, "issues": issues}


def _read(written: dict[str, Any]) -> SchedulingError:
    """The stored refusal. One with an unknown code, such as a later release may have stored, is a SchedulingError."""
    refusal = SchedulingError.__new__(STORED_CODES.get(written["kind"], SchedulingError))
    SchedulingError.__init__(refusal, issues=[Issue(*issue) for issue in written["issues"]])
    refusal.repeated = True
    return refusal
