"""List of the accounts of staff."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db.models import DateTimeField, Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from clinic import second_factor
from clinic.models import User
from scheduling import staff_accounts


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """An account of staff, as the list shows it."""

    user: User
    roles: list[str]
    has_passkey: bool
    has_app: bool
    lacks_second_step: bool
    is_invited: bool
    has_expired: bool

    @property
    def has_second_step(self) -> bool:
        return self.has_app or self.has_passkey

    @property
    def name(self) -> str:
        return self.user.display_name


def accounts(rows: "QuerySet[User] | None" = None, *, now: datetime) -> list[StaffAccount]:
    """Return the accounts of staff by name. A constant number of queries."""
    found = (User.objects.all() if rows is None else rows).filter(staff_accounts.staff())
    found = found.select_related("practitioner", "staff_invitation")
    found = found.prefetch_related("desk_locations", "staff_roles__site", "staff_roles__practitioner")
    found = found.annotate(  # type: ignore[no-redef]  # the model declares `second_factor_due`
        has_passkey=_has(Authenticator.Type.WEBAUTHN),
        has_app=_has(Authenticator.Type.TOTP),
        second_factor_due=RawSQL(second_factor.due(User._meta.db_table), [], DateTimeField()),
    )
    listed = [_account(user, now) for user in found.order_by("-is_active", "last_name", "first_name", "email")]
    return listed


def _has(kind: Authenticator.Type) -> Exists:
    """The condition that the account has an authenticator of the kind."""
    return Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=kind))


def _account(user: User, now: datetime) -> StaffAccount:
    invitation = getattr(user, "staff_invitation", None)
    return StaffAccount(
        user=user,
        roles=_roles(user),
        has_passkey=getattr(user, "has_passkey", False),
        has_app=getattr(user, "has_app", False),
        lacks_second_step=user.second_factor_due is not None,
        is_invited=invitation is not None,
        has_expired=invitation is not None and invitation.expires <= now,
    )


def _roles(user: User) -> list[str]:
    """Return the words for the account's roles, with their bounds."""
    words = [_("Administrator")] if user.is_superuser else []
    for held in user.staff_roles.all():
        bound = held.practitioner or held.site
        word = _("Assistant") if held.practitioner else held.get_role_display()
        words.append(f"{word}: {bound}" if bound else str(word))
    words += [_("Front desk: %(site)s") % {"site": site} for site in user.desk_locations.all()]
    practitioner = getattr(user, "practitioner", None)
    return [*words, _("Practitioner: %(name)s") % {"name": practitioner}] if practitioner else words
