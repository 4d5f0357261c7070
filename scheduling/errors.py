"""What can stand in the way, said once.

`code` is a FHIR issue type: https://hl7.org/fhir/R4/valueset-issue-type.html. The doors turn these into an
OperationOutcome or a message; anything else is a bug and stays loud.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem: its FHIR issue type, what is wrong in words, and where (a FHIRPath), if one place is to blame.

    `diagnostics` is for software: JSON that helps with what to do next.
    """

    code: str
    text: str
    expression: str = ""
    diagnostics: str = ""


class SchedulingError(Exception):
    """The base of all refusals. Carries one issue, or several where all can be told at once.

    `repeated` says that it was the answer to the same request before.
    """

    repeated = False
    code = "processing"
    message: ClassVar[Any] = lazy("This could not be done.")

    def __init__(self, message: str = "", *, expression: str = "", issues: Sequence[Issue] = ()) -> None:
        self.issues = tuple(issues) or (Issue(self.code, message or str(self.message), expression),)
        super().__init__("; ".join(issue.text for issue in self.issues))


class Invalid(SchedulingError):
    """The request itself is wrong, whatever the state of things."""

    code = "invalid"
    message = lazy("The request is not valid.")


class TooCostly(SchedulingError):
    """More at once than the server does for one request."""

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
    """Allowed at another time, for another person or after another step, but not so."""

    code = "business-rule"
    message = lazy("A rule of the clinic does not allow this.")


class PatientElsewhere(RuleBroken):
    """Nobody can be in two visits at once, whatever the reason."""

    message = lazy("The patient has another visit at that time.")


class TooManyHolds(RuleBroken):
    """Whoever holds as many times as one may has to confirm one or let one go first."""

    message = lazy(
        "You already hold as many times as you can. Book one, let one go, or wait a few minutes until a hold ends."
    )


class IllegalTransition(SchedulingError):
    """An Appointment cannot go from one status to the other."""

    code = "conflict"

    def __init__(self, current: str, wanted: str) -> None:
        text = _("A visit that is %(current)s cannot become %(wanted)s.")
        super().__init__(text % {"current": current, "wanted": wanted}, expression="Appointment.status")


class HoldExpired(SchedulingError):
    code = "expired"
    message = lazy("This hold has expired. Choose a time again.")


class VersionConflict(SchedulingError):
    """The resource changed since the caller read it."""

    code = "conflict"
    message = lazy("Someone else has changed this since you read it.")


class WrittenMeanwhile(SchedulingError):
    """Another writer has made impossible what was possible when we looked, such as to be the first with an id."""

    code = "conflict"
    message = lazy("Somebody else has just written one of these. Please try again.")


class InUse(SchedulingError):
    """What something else still needs cannot be taken away."""

    code = "conflict"
    message = lazy("Other records still refer to this.")


class ScheduleBusy(SchedulingError):
    """Waited too long for someone else's booking to finish."""

    code = "lock-error"
    message = lazy("Many people are booking right now. Please try again in a moment.")
