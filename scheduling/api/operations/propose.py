"""`POST [base]/Appointment/$hold` and `$book`: take the time of a proposed Appointment.

https://www.medplum.com/docs/scheduling/appointment-hold, https://www.medplum.com/docs/scheduling/appointment-book
"""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.models import Appointment
from scheduling import booking
from scheduling.access import Caller
from scheduling.api.authentication import caller_of
from scheduling.api.headers import base_of
from scheduling.api.operations.base import (
    Attempt,
    WriteView,
    add_alternatives,
    created,
    relocated,
)
from scheduling.api.parameters import inputs_of, resource
from scheduling.api.submissions import HERE, Proposal, read_proposal
from scheduling.errors import SchedulingError

UseCase = Callable[..., Appointment]


class _Propose(WriteView):
    """All of the proposal is taken, or none."""

    take: ClassVar[UseCase]

    def post(self, request: Request) -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)

        def prepare() -> Attempt:
            return _attempt(type(self).take, _read(request, base), caller, now)

        return self.answered(request, prepare, lambda appointment: created(appointment, base))


class Hold(_Propose):
    """The time as a `pending` Appointment, until the instant that the header Expires names."""

    take = staticmethod(booking.hold)


class Book(_Propose):
    """The time as a `booked` Appointment."""

    take = staticmethod(booking.book)


def _read(request: Request, base: str) -> Proposal:
    inputs = inputs_of(request, {"appointment"}, resource="Appointment")
    sent = inputs.required("appointment", resource("Appointment"))
    inputs.finish()
    return read_proposal(sent, base)


def _attempt(take: UseCase, proposal: Proposal, caller: Caller, now: datetime) -> Attempt:
    wanted = proposal.request

    def tell(refusal: SchedulingError) -> None:
        refusal.issues = relocated(refusal.issues, proposal.places)
        add_alternatives(refusal, wanted.service, wanted.offerings, wanted.start, now=now, at=f"{HERE}.start")

    return Attempt(lambda once: take(wanted, caller=caller, now=now, once=once), tell)
