"""Permissions for the accounts of staff: nobody gives or takes more rights than they have."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from clinic.models import User
from scheduling.access.callers import Caller
from scheduling.access.roles import PERMISSIONS, Action, Role
from scheduling.errors import Forbidden


def may_see_people(caller: Caller) -> None:
    """Raise Forbidden unless the caller may see who works at the clinic, and invite people."""
    if caller.client or not caller.bounds(Action.PEOPLE):
        raise Forbidden(_("Only managers change the accounts of staff."))


def grantable_roles(caller: Caller) -> frozenset[Role]:
    """The roles that the caller may give and take: those that allow no more than the caller's own."""
    own = frozenset(action for held in caller.roles for action in PERMISSIONS[held.role])
    return frozenset(role for role in Role if PERMISSIONS[role] <= own)


def may_grant(caller: Caller, roles: Iterable[Role]) -> None:
    """Raise Forbidden unless the caller may give and take all these roles."""
    may_see_people(caller)
    if not grantable_roles(caller).issuperset(roles):
        raise Forbidden(_("You can give and take only rights that you have yourself."))


def may_change_account(caller: Caller, user: User) -> None:
    """Raise Forbidden unless the caller may deactivate the account and end its sessions."""
    may_grant(caller, {held.role for held in Caller(user=user).roles})
