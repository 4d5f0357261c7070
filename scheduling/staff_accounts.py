"""Use cases of the accounts of staff: invite, give roles, deactivate, end sessions, reset the second step.

An invited account cannot sign in before the invitation is accepted. The clinic always keeps an active owner or
administrator: a use case that could take the last one locks all of them first, in the order of their keys.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from clinic.models import AuditEvent, Practitioner, StaffInvitation, StaffRole, User
from scheduling import access
from scheduling.access import Caller, HeldRole, Role
from scheduling.errors import Forbidden, NotFound, RuleBroken, VersionConflict

INVITATION_LASTS = timedelta(days=7)
TOKEN = Signer(sep=".", salt="staff-invitation")

Action = AuditEvent.Action


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person who is invited: their email address and name, and the roles that they are given."""

    email: str
    given: str = ""
    family: str = ""
    roles: frozenset[HeldRole] = field(default_factory=frozenset)


def staff() -> Q:
    """Return the condition for accounts of staff, also for those that are deactivated or only invited."""
    return (
        Q(is_superuser=True)
        | Q(practitioner__isnull=False)
        | Q(pk__in=User.desk_locations.through.objects.values("user"))
        | Q(pk__in=StaffRole.objects.values("user"))
        | Q(pk__in=StaffInvitation.objects.values("user"))
    )


def version_of(user: User) -> str:
    """A digest of the account's roles and standing, by which a change of somebody else is noticed."""
    held = sorted((role.value, site or 0, person or 0) for role, site, person in Caller(user=user).roles)
    return hashlib.sha256(repr((user.is_active, held)).encode()).hexdigest()[:16]


@transaction.atomic(durable=True)
def invite(person: NewPerson, *, caller: Caller, now: datetime) -> tuple[User, str]:
    """Return the account of a person who is to work here, and the token of the invitation.

    The token is empty if the address has an account whose owner has proven it: the account gets the roles at once.
    """
    access.may_grant(caller, {held.role for held in person.roles})
    if not person.roles:
        raise RuleBroken(_("Choose what they do at the clinic."))
    email = User.objects.normalize_email(person.email).lower()
    user = User.objects.select_for_update(no_key=True).filter(email=email).first()
    if user is not None and Caller(user=user).is_staff:
        raise RuleBroken(_("This person has a staff account already. Change it in the list."))
    if user is not None and not EmailAddress.objects.filter(user=user, email=email, verified=True).exists():
        raise RuleBroken(_("This address has an account whose owner has not confirmed it. Ask them to sign in first."))
    token = ""
    if user is None:
        user = _new_account(email, person)
        token = _invite(user, now)
    _write_roles(user, frozenset(), person.roles)
    _audit("invite-staff", Action.CREATE, user, caller, now)
    return user, token


@transaction.atomic(durable=True)
def invite_again(user_id: int, *, caller: Caller, now: datetime) -> tuple[User, str]:
    """Return the account and a new token; the earlier link ends."""
    user = _locked(user_id, caller)
    if not StaffInvitation.objects.filter(user=user).exists():
        raise RuleBroken(_("This invitation was accepted or withdrawn."))
    token = _invite(user, now)
    _audit("invite-staff", Action.UPDATE, user, caller, now)
    return user, token


@transaction.atomic(durable=True)
def withdraw(user_id: int, *, caller: Caller, now: datetime) -> None:
    """End an invitation: its link ends, and the account has no roles and stays inactive."""
    user = _locked(user_id, caller)
    if not StaffInvitation.objects.filter(user=user).delete()[0]:
        raise RuleBroken(_("This invitation was accepted or withdrawn."))
    _write_roles(user, frozenset(Caller(user=user).roles), frozenset())
    _audit("withdraw-invitation", Action.DELETE, user, caller, now)


def invited(token: str, *, now: datetime) -> User | None:
    """Return the account that an open invitation is for; None for any other token."""
    invitation = _open_invitation(token, now)
    return invitation.user if invitation else None


@transaction.atomic(durable=True)
def accept(token: str, password: str, *, now: datetime) -> User:
    """Activate the invited account with its own password. The link works once."""
    invitation = _open_invitation(token, now, lock=True)
    if invitation is None:
        raise RuleBroken(_("This invitation has ended. Ask for a new one."))
    return _accept(invitation, password, now)


def accept_by_single_sign_on(user: User, *, now: datetime) -> User:
    """Activate the account of somebody whom the provider has named. Raises Forbidden without an open invitation."""
    invitation = StaffInvitation.objects.select_for_update(no_key=True).filter(user=user, expires__gt=now).first()
    if invitation is None:
        raise Forbidden(_("Your account is not active. Ask a manager of the clinic."))
    return _accept(invitation, None, now)


def _accept(invitation: StaffInvitation, password: str | None, now: datetime) -> User:
    user = invitation.user
    user.is_active = True
    user.set_password(password)
    user.save(update_fields=["is_active", "password"])
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    invitation.delete()
    _audit("accept-invitation", Action.UPDATE, user, Caller(user=user), now)
    return user


@transaction.atomic(durable=True)
def set_roles(user_id: int, roles: Collection[HeldRole], *, version: str, caller: Caller, now: datetime) -> User:
    """Give the account these roles and no others. Raises VersionConflict if they have changed meanwhile."""
    user = _locked(user_id, caller)
    if version != version_of(user):
        raise VersionConflict(_("Somebody else has changed this account in the meantime. Look at it again."))
    before = frozenset(Caller(user=user).roles)
    after = frozenset(roles) | {held for held in before if held.role == Role.ADMINISTRATOR}
    access.may_grant(caller, {held.role for held in before | after})
    _write_roles(user, before, after)
    _require_owner(before)
    _audit("staff-roles", Action.UPDATE, user, caller, now)
    return user


@transaction.atomic(durable=True)
def set_active(user_id: int, *, is_active: bool, caller: Caller, now: datetime) -> User:
    """Deactivate the account, whose sessions end at once, or activate it again. What it did stays."""
    user = _locked(user_id, caller)
    if caller.user is not None and user.pk == caller.user.pk:
        raise RuleBroken(_("You cannot deactivate your own account. Ask another manager."))
    if StaffInvitation.objects.filter(user=user).exists():
        raise RuleBroken(_("This person has not accepted the invitation yet. Withdraw it instead."))
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    end_own_sessions(user)
    _require_owner(Caller(user=user).roles)
    _audit("activate-staff" if is_active else "deactivate-staff", Action.UPDATE, user, caller, now)
    return user


@transaction.atomic(durable=True)
def end_sessions(user_id: int, *, caller: Caller, now: datetime) -> User:
    """End all sessions of an account of staff."""
    user = end_own_sessions(_locked(user_id, caller))
    _audit("end-sessions", Action.UPDATE, user, caller, now)
    return user


@transaction.atomic(durable=True)
def end_session(user_id: int, session_id: int, *, caller: Caller, now: datetime) -> User:
    """End one session of an account of staff. Raises RuleBroken if it has ended already."""
    user = _locked(user_id, caller)
    session = UserSession.objects.filter(user=user, pk=session_id).first()
    if session is None:
        raise RuleBroken(_("That session has already ended."))
    session.end()
    _audit("end-session", Action.UPDATE, user, caller, now)
    return user


@transaction.atomic(durable=True)
def reset_second_step(user_id: int, *, caller: Caller, now: datetime) -> User:
    """Remove the authenticator app, the recovery codes and the passkeys of somebody who lost them, and end sessions."""
    user = _locked(user_id, caller)
    if caller.user is not None and user.pk == caller.user.pk:
        raise RuleBroken(_("You remove your own second step under “Sign-in and security”."))
    _reset_second_step(user, caller, now)
    return user


@transaction.atomic(durable=True)
def reset_second_step_by_operator(email: str, *, now: datetime) -> None:
    """Reset the second step of somebody whom no manager can help, such as the only owner: see `reset_second_step`."""
    user = User.objects.select_for_update(no_key=True).filter(email=email.lower()).first()
    if user is None or not Caller(user=user).is_staff:
        raise NotFound
    _reset_second_step(user, Caller(client="reset_second_step"), now)


def end_own_sessions(user: User) -> User:
    """End all sessions of the account. Like signing out, it has no line in the audit log."""
    UserSession.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(ended_sessions=F("ended_sessions") + 1)
    user.refresh_from_db(fields=["ended_sessions"])
    return user


def _locked(user_id: int, caller: Caller) -> User:
    """The account of staff, locked with those of all owners, so that no two of them remove each other."""
    access.may_see_people(caller)
    owners = Q(is_superuser=True) | Q(pk__in=StaffRole.objects.filter(role=StaffRole.Role.OWNER).values("user"))
    accounts = User.objects.filter(Q(pk=user_id) | owners).order_by("pk").select_for_update(no_key=True)
    user = next((account for account in accounts if account.pk == user_id), None)
    if user is None or not User.objects.filter(staff(), pk=user_id).exists():
        raise NotFound
    access.may_change_account(caller, user)
    return user


def _reset_second_step(user: User, caller: Caller, now: datetime) -> None:
    if not Authenticator.objects.filter(user=user).delete()[0]:
        raise RuleBroken(_("This account has no second step."))
    end_own_sessions(user)
    _audit("reset-second-step", Action.UPDATE, user, caller, now)


def _require_owner(held: Collection[HeldRole]) -> None:
    """Raise RuleBroken if these were the roles of the last owner or administrator who can sign in."""
    if not {each.role for each in held} & {Role.OWNER, Role.ADMINISTRATOR}:
        return
    owners = Q(is_superuser=True) | Q(staff_roles__role=StaffRole.Role.OWNER)
    if not User.objects.filter(owners, is_active=True).exists():
        raise RuleBroken(_("The clinic needs an owner. Make somebody else an owner first."))


def _write_roles(user: User, before: frozenset[HeldRole], after: frozenset[HeldRole]) -> None:
    """Write the rows of the roles that differ."""
    for held in before - after:
        match held:
            case HeldRole(Role.FRONT_DESK, int() as site, _):
                user.desk_locations.remove(site)
            case HeldRole(Role.PRACTITIONER, _, int() as person):
                Practitioner.objects.filter(pk=person, user=user).update(user=None)
            case HeldRole(role, site, person):
                StaffRole.objects.filter(user=user, role=role.value, site=site, practitioner=person).delete()
    for held in after - before:
        match held:
            case HeldRole(Role.FRONT_DESK, int() as site, _):
                user.desk_locations.add(site)
            case HeldRole(Role.PRACTITIONER, _, int() as person):
                if not Practitioner.objects.filter(pk=person, user=None).update(user=user):
                    raise RuleBroken(_("This practitioner has another account."))
            case HeldRole(role, site, person):
                StaffRole.objects.create(user=user, role=role.value, site_id=site, practitioner_id=person)


def _new_account(email: str, person: NewPerson) -> User:
    """Store an account that cannot sign in yet. Raises RuleBroken if somebody else has just invited the address."""
    try:
        with transaction.atomic():
            return User.objects.create_user(email, first_name=person.given, last_name=person.family, is_active=False)
    except IntegrityError:
        raise RuleBroken(_("Somebody else has just invited this person. Look at the list.")) from None


def _invite(user: User, now: datetime) -> str:
    secret = secrets.token_urlsafe(24)
    columns = {"digest": _digest(secret), "expires": now + INVITATION_LASTS}
    StaffInvitation.objects.update_or_create(user=user, defaults=columns)
    return TOKEN.sign(secret)


def _open_invitation(token: str, now: datetime, *, lock: bool = False) -> StaffInvitation | None:
    try:
        digest = _digest(TOKEN.unsign(token))
    except BadSignature:
        return None
    rows = StaffInvitation.objects.select_related("user").filter(digest=digest, expires__gt=now)
    return (rows.select_for_update(no_key=True, of=("self",)) if lock else rows).first()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _audit(subtype: str, action: AuditEvent.Action, user: User, caller: Caller, now: datetime) -> None:
    roles = sorted({held.role.value for held in Caller(user=user).roles})
    access.audit_event(subtype, action, caller=caller, now=now, query=f"{user.email} {','.join(roles)}".strip()).save()
