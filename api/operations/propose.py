"""`POST [base]/Appointment/$hold` and `$book`: take the time of a proposed Appointment, in one of three dialects.

Medplum's is here, the others are in api.operations.taking.
https://www.medplum.com/docs/scheduling/appointment-hold, https://www.medplum.com/docs/scheduling/appointment-book
"""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.headers import base_of
from api.operations.base import (
    Attempt,
    WriteView,
    add_alternatives,
    created,
    relocated,
    version_of,
)
from api.operations.dialects import Dialect, dialect_of
from api.operations.taking import REFUSALS, Taking
from api.parameters import Inputs, read_inputs, resource
from api.submissions import HERE, Proposal, read_proposal
from clinic.models import Appointment
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import SchedulingError

UseCase = Callable[..., Appointment]


class _Propose(WriteView):
    """All of the visit is taken, or nothing; in whose words, the request says."""

    take: ClassVar[UseCase]

    def post(self, request: Request, fhir_id: str = "") -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)
        inputs = read_inputs(request, resource="Appointment")
        dialect = dialect_of(request, inputs, names_one=bool(fhir_id))
        take = type(self).take
        if dialect is Dialect.MEDPLUM:
            return self.answered(
                request,
                lambda: _attempt(take, _read(inputs, base, caller), caller, now),
                lambda appointment: created(appointment, base),
            )
        taking = Taking(inputs, dialect, fhir_id, take is booking.hold, caller, now, base, version_of(request))
        try:
            return self.answered(request, taking.prepare, taking.answer)
        except REFUSALS as refusal:
            return taking.refused(refusal)


class Hold(_Propose):
    """The time as a `pending` Appointment, until the instant that the header Expires names."""

    take = staticmethod(booking.hold)


class Book(_Propose):
    """The time as a `booked` Appointment."""

    take = staticmethod(booking.book)


def _read(inputs: Inputs, base: str, caller: Caller) -> Proposal:
    inputs.only({"appointment"})
    sent = inputs.required("appointment", resource("Appointment"))
    inputs.finish()
    return read_proposal(sent, base, caller)


def _attempt(take: UseCase, proposal: Proposal, caller: Caller, now: datetime) -> Attempt:
    wanted = proposal.request

    def tell(refusal: SchedulingError) -> None:
        refusal.issues = relocated(refusal.issues, proposal.places)
        add_alternatives(refusal, wanted.service, wanted.offerings, wanted.start, now=now, at=f"{HERE}.start")

    return Attempt(lambda once: take(wanted, caller=caller, now=now, once=once), tell)
