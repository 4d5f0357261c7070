"""The second step of signing in: codes of an authenticator app (RFC 6238), recovery codes, and who must have it.

A code works once. That it was used is stored with its authenticator, since Redis may lose it.
"""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.db import connection, transaction
from django.db.models import DateTimeField
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from clinic import second_factor
from clinic.encryption import CannotDecrypt
from clinic.models import AuditEvent, SecondFactorRule, User
from scheduling import access
from scheduling.access import Caller, Role
from scheduling.errors import VersionConflict

APP, RECOVERY_CODES = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES
PASSKEY = Authenticator.Type.WEBAUTHN
LAST_STEP = "last_step"  # in the data of the app's authenticator: the time step of the latest code that was used


def is_asked_of(user: User, *, now: datetime) -> bool:
    """True if signing in to the account takes a second step after the password or the code by email.

    A passkey is one only for accounts that must have one; others may sign in with the password alone.
    """
    types = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    return APP in types or (PASSKEY in types and _is_required_of(user, now))


def version_of(rules: Iterable[SecondFactorRule]) -> str:
    """A digest of the rules, by which a change of somebody else is noticed."""
    written = sorted((rule.role, rule.required_from.timestamp()) for rule in rules)
    return hashlib.sha256(repr(written).encode()).hexdigest()[:16]


@transaction.atomic(durable=True)
def require_of(roles: Collection[Role], *, grace: timedelta, version: str, caller: Caller, now: datetime) -> None:
    """Require a second step of the accounts with these roles and of no others; of new ones after the grace.

    Raises VersionConflict if the rules have changed meanwhile.
    """
    with connection.cursor() as cursor:  # there may be no row yet that could be locked
        cursor.execute(f"LOCK TABLE {SecondFactorRule._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
    rules = SecondFactorRule.objects.all()
    if version != version_of(rules):
        raise VersionConflict(_("Somebody else has changed this in the meantime. Look at it again."))
    before, after = {Role(rule.role) for rule in rules}, set(roles)
    access.may_grant(caller, before ^ after)
    SecondFactorRule.objects.filter(role__in=before - after).delete()
    new = [SecondFactorRule(role=role.value, required_from=now + grace) for role in sorted(after - before)]
    SecondFactorRule.objects.bulk_create(new)
    query = ",".join(sorted(after)) or "none"
    access.audit_event("require-second-step", AuditEvent.Action.UPDATE, caller=caller, now=now, query=query).save()


@transaction.atomic
def use_code(user: User, code: str, *, now: datetime) -> Authenticator | None:
    """Return the authenticator whose code this is, and mark the code as used; None for any other code."""
    rows = Authenticator.objects.filter(user=user, type__in=(APP, RECOVERY_CODES))
    for authenticator in rows.order_by("pk").select_for_update(no_key=True):
        try:
            if _use_code_of(authenticator, code, now):
                return authenticator
        except CannotDecrypt:  # `manage.py reseal` names it
            continue
    return None


@transaction.atomic
def make_recovery_codes(user: User) -> None:
    """Give the account new recovery codes. The earlier ones end."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    Authenticator.objects.filter(user=user, type=RECOVERY_CODES).delete()
    RecoveryCodes.activate(user)


def unused_recovery_codes(user: User) -> list[str]:
    """Return the recovery codes of the account that still work."""
    authenticator = Authenticator.objects.filter(user=user, type=RECOVERY_CODES).first()
    return authenticator.wrap().get_unused_codes() if authenticator else []


def _use_code_of(authenticator: Authenticator, code: str, now: datetime) -> bool:
    """True if the code is an unused one of this authenticator, which is then stored as used."""
    if authenticator.type == RECOVERY_CODES:
        return bool(authenticator.wrap().validate_code(code))
    current = int(now.timestamp()) // app_settings.TOTP_PERIOD
    first = max(current - app_settings.TOTP_TOLERANCE, authenticator.data.get(LAST_STEP, 0) + 1)
    secret = decrypt(authenticator.data["secret"])
    for step in range(first, current + app_settings.TOTP_TOLERANCE + 1):
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            authenticator.data[LAST_STEP] = step
            authenticator.save(update_fields=["data"])
            return True
    return False


def _is_required_of(user: User, now: datetime) -> bool:
    """True if the account has a role that requires two steps by now."""
    column = RawSQL(second_factor.required_from(User._meta.db_table), [], DateTimeField())
    since = User.objects.annotate(required_from=column).values_list("required_from", flat=True).get(pk=user.pk)
    return since is not None and since <= now
