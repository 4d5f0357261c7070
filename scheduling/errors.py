"""The exceptions of all use cases.

`code` is a FHIR issue type: https://hl7.org/fhir/R4/valueset-issue-type.html. API and pages turn these exceptions into
an OperationOutcome or a message. Any other exception is a bug and is not caught.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem: its FHIR issue type, a text for people, and the FHIRPath of the element, if there is one.

    `diagnostics` is JSON for software, such as alternative times.
    """

    code: str
    text: str
    expression: str = ""
    diagnostics: str = ""


class SchedulingError(Exception):
    """The base class of all refusals, with one issue or several.

    `repeated` is True if the same request was refused before, so that this is the stored response. `occurrence` is the
    number of the visit that was refused, if a series was, and `unnumbered` are its issues without that number.
    """

    repeated = False
    occurrence: int | None = None
    unnumbered: tuple[Issue, ...] = ()
    code = "processing"
    message: ClassVar[Any] = lazy("This could not be done.")

    def __init__(self, message: str = "", *, expression: str = "", issues: Sequence[Issue] = ()) -> None:
        self.issues = tuple(issues) or (Issue(self.code, message or str(self.message), expression),)
        super().__init__("; ".join(issue.text for issue in self.issues))


class Invalid(SchedulingError):
    """The request is invalid, whatever is stored."""

    code = "invalid"
    message = lazy("The request is not valid.")


class TooCostly(SchedulingError):
    """The request needs more work than the server does for one request."""

    code = "too-costly"
    message = lazy("This is too much for one request.")


class NotFound(SchedulingError):
    code = "not-found"
    message = lazy("There is no such resource.")


class Forbidden(SchedulingError):
    code = "forbidden"
    message = lazy("You may not do this.")


class TimeTaken(SchedulingError):
    code = "conflict"
    message = lazy("That time is no longer free.")


class TimeNotOffered(SchedulingError):
    code = "business-rule"
    message = lazy("That time is not offered.")


class RuleBroken(SchedulingError):
    """A rule of the clinic forbids the request, which may be allowed at another time or for another person."""

    code = "business-rule"
    message = lazy("A rule of the clinic does not allow this.")


class PaymentRequired(RuleBroken):
    """The visit is paid for before it is booked, on the page whose address the issue has."""

    def __init__(self, address: str) -> None:
        text = _("This visit is paid for before it is booked. Pay here: %(address)s")
        super().__init__(
            issues=[Issue(self.code, text % {"address": address}, diagnostics=json.dumps({"payment": address}))]
        )


class PatientElsewhere(RuleBroken):
    """The patient has another visit at the same time."""

    message = lazy("The patient has another visit at that time.")


class TooManyHolds(RuleBroken):
    """The caller already has as many holds as allowed."""

    message = lazy(
        "You are already holding as many times as you can. Book one, let one go, or wait a few minutes until a hold"
        " ends."
    )


class IllegalTransition(SchedulingError):
    """The Appointment cannot change from its status to another one."""

    code = "conflict"

    def __init__(self, current: str, target: str) -> None:
        text = _("A visit that is %(current)s cannot become %(wanted)s.")
        super().__init__(text % {"current": current, "wanted": target}, expression="Appointment.status")
        self.current = current


class HoldExpired(SchedulingError):
    code = "expired"
    message = lazy("This hold has expired. Choose a time again.")


class VersionConflict(SchedulingError):
    """The resource has changed since the caller read it."""

    code = "conflict"
    message = lazy("Someone else has changed this since you read it.")


class WrittenMeanwhile(SchedulingError):
    """Another request has written a conflicting row since the check, such as one with the same id."""

    code = "conflict"
    message = lazy("Somebody else has just changed one of these. Please try again.")


class InUse(SchedulingError):
    """The row cannot be deleted, since other rows refer to it."""

    code = "conflict"
    message = lazy("Other records still refer to this.")


class ScheduleBusy(SchedulingError):
    """The request waited too long for locks of other bookings."""

    code = "lock-error"
    message = lazy("Many people are booking right now. Please try again in a moment.")


class PluginUnavailable(SchedulingError):
    """A plug-in that must be asked before a booking does not answer."""

    code = "transient"
    message = lazy("A rule of the clinic cannot be checked right now. Please try again in a moment.")


# The codes under which refusals of repeated requests are stored. A code outlives the name of its class: keep it.
STORED_CODES: dict[str, type[SchedulingError]] = {
    "Invalid": Invalid,
    "TooCostly": TooCostly,
    "NotFound": NotFound,
    "Forbidden": Forbidden,
    "TimeTaken": TimeTaken,
    "TimeNotOffered": TimeNotOffered,
    "RuleBroken": RuleBroken,
    "PaymentRequired": PaymentRequired,
    "PatientElsewhere": PatientElsewhere,
    "TooManyHolds": TooManyHolds,
    "IllegalTransition": IllegalTransition,
    "HoldExpired": HoldExpired,
    "VersionConflict": VersionConflict,
    "WrittenMeanwhile": WrittenMeanwhile,
    "InUse": InUse,
    "ScheduleBusy": ScheduleBusy,
    "PluginUnavailable": PluginUnavailable,
    "SchedulingError": SchedulingError,
}
