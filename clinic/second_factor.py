"""The moment from which an account must sign in in two steps, as SQL: it is read with the account or its token."""

from clinic.models import Practitioner, SecondFactorRule, StaffRole, User

_HELD = f"""
    CASE rule.role
    WHEN 'administrator' THEN {{user}}.is_superuser
    WHEN 'front-desk' THEN EXISTS (
        SELECT FROM {User.desk_locations.through._meta.db_table} desk WHERE desk.user_id = {{user}}.id
    )
    WHEN 'practitioner' THEN EXISTS (
        SELECT FROM {Practitioner._meta.db_table} practitioner
        WHERE practitioner.user_id = {{user}}.id AND practitioner.deleted_at IS NULL
    )
    ELSE EXISTS (
        SELECT FROM {StaffRole._meta.db_table} held WHERE held.user_id = {{user}}.id AND held.role = rule.role
    ) END
"""
_REQUIRED_FROM = f"(SELECT min(rule.required_from) FROM {SecondFactorRule._meta.db_table} rule WHERE {_HELD})"
_DUE = f"""(
    SELECT min(rule.required_from) FROM {SecondFactorRule._meta.db_table} rule
    WHERE {_HELD} AND NOT EXISTS (
        SELECT FROM mfa_authenticator authenticator
        WHERE authenticator.user_id = {{user}}.id AND authenticator.type IN ('totp', 'webauthn')
    )
)"""


def required_from(user: str) -> str:
    """Return SQL for the moment from which the user's roles require two steps, or NULL. `user` is a table or alias."""
    return _REQUIRED_FROM.format(user=user)


def due(user: str) -> str:
    """Return SQL for the same moment; NULL too if the user has an authenticator app or a passkey."""
    return _DUE.format(user=user)
