"""The roles of staff and what each may do: the one table of permissions, printed in docs/access.md."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Action(StrEnum):
    """A permission of staff, within the bounds of the role."""

    SEE = "see"  # calendars, visits, and the patients of these visits
    ANSWERS = "answers"  # what patients answered before visits, and what took place at them
    OVERBOOK = "overbook"  # book an extra visit at a time that is taken, with a reason
    RUN = "run"  # book, move and cancel visits, check in, block time, the waiting list, messages
    RECORDS = "records"  # find every patient, change and merge their records
    COVERAGE = "coverage"  # check patients' insurance
    PAYMENTS = "payments"  # refund, waive and charge, take money at the desk and count it
    HOURS = "hours"  # set the hours of calendars
    PERSONAL_DATA = "personal data"  # export and delete everything about a patient
    SET_UP = "set up"  # sites, people, services, and hours of a service as a whole
    IMPORT = "import"  # take over the lists of another system
    PEOPLE = "people"  # invite staff, give them roles, end their sessions
    OWNERS = "owners"  # make and remove owners
    EXPORT = "export"  # download everything as FHIR
    ADMINISTER = "administer"  # administration, software, the audit log, every resource of the API


class Role(StrEnum):
    """A role of an account of staff."""

    ADMINISTRATOR = "administrator"
    OWNER = "owner"
    MANAGER = "manager"
    FRONT_DESK = "front-desk"
    PRACTITIONER = "practitioner"
    ASSISTANT = "assistant"
    BILLING = "billing"
    READER = "reader"


_DESK = frozenset(
    {
        Action.SEE,
        Action.ANSWERS,
        Action.OVERBOOK,
        Action.RUN,
        Action.RECORDS,
        Action.COVERAGE,
        Action.PAYMENTS,
        Action.HOURS,
    }
)
_MANAGER = _DESK | {Action.PERSONAL_DATA, Action.SET_UP, Action.IMPORT, Action.PEOPLE}
PERMISSIONS: dict[Role, frozenset[Action]] = {
    Role.ADMINISTRATOR: frozenset(Action),
    Role.OWNER: _MANAGER | {Action.OWNERS, Action.EXPORT},
    Role.MANAGER: _MANAGER,
    Role.FRONT_DESK: _DESK,
    Role.PRACTITIONER: frozenset({Action.SEE, Action.ANSWERS, Action.OVERBOOK, Action.RUN, Action.HOURS}),
    Role.ASSISTANT: frozenset({Action.SEE, Action.ANSWERS, Action.RUN}),
    Role.BILLING: frozenset({Action.SEE, Action.COVERAGE, Action.PAYMENTS}),
    Role.READER: frozenset({Action.SEE, Action.ANSWERS}),
}


class HeldRole(NamedTuple):
    """A role that an account has, with its bounds: primary keys of a site and of a practitioner, or None."""

    role: Role
    site: int | None = None
    practitioner: int | None = None

    @property
    def is_everywhere(self) -> bool:
        return self.site is None and self.practitioner is None


@dataclass(frozen=True, slots=True)
class Bounds:
    """The part of the clinic for which somebody may do something: primary keys, or everywhere."""

    everywhere: bool = False
    sites: frozenset[int] = frozenset()
    practitioners: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.sites or self.practitioners)


def bounds_of(action: Action, held: tuple[HeldRole, ...]) -> Bounds:
    """Return the bounds within which these roles allow the action."""
    allowing = [each for each in held if action in PERMISSIONS[each.role]]
    return Bounds(
        any(each.is_everywhere for each in allowing),
        frozenset(each.site for each in allowing if each.site is not None),
        frozenset(each.practitioner for each in allowing if each.practitioner is not None),
    )
