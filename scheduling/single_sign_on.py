"""The use case of single sign-on: which account of staff a person at the provider signs in to."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import AuditEvent, User
from clinic.single_sign_on import PROVIDER
from scheduling import access, staff_accounts
from scheduling.access import Caller
from scheduling.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Identity:
    """A person at the provider: their lasting id there, and their email address if the provider has verified it."""

    subject: str
    email: str = ""


@transaction.atomic(durable=True)
def admit(identity: Identity, *, now: datetime) -> User:
    """Return the account of staff that the person signs in to. Raises Forbidden for everybody else.

    The address finds the account once. From then on the person is known by their id, so that another person who gets
    the address later at the provider does not get the account. An open invitation is accepted by it.
    """
    known = SocialAccount.objects.filter(provider=PROVIDER, uid=identity.subject).select_related("user").first()
    user = known.user if known else _account_of(identity.email)
    if user is None or not User.objects.filter(staff_accounts.staff(), pk=user.pk).exists():
        raise Forbidden(_("There is no staff account for you here. Ask a manager of the clinic to invite you."))
    if not user.is_active:
        user = staff_accounts.accept_by_single_sign_on(user, now=now)
    if known is None:
        _link(user, identity, now)
    return user


def _account_of(email: str) -> User | None:
    """The account with this address, which its owner or an invitation has proven; locked."""
    if not email:
        raise Forbidden(_("Your organisation did not confirm your email address, so we do not know your account."))
    user = User.objects.select_for_update(no_key=True).filter(email=email.lower()).first()
    if user is None:
        return None
    is_proven = EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()
    return user if is_proven or not user.is_active else None


def _link(user: User, identity: Identity, now: datetime) -> None:
    if SocialAccount.objects.filter(user=user, provider=PROVIDER).exists():
        raise Forbidden(_("This account belongs to somebody else at your organisation. Ask a manager of the clinic."))
    SocialAccount.objects.create(user=user, provider=PROVIDER, uid=identity.subject)
    caller = Caller(user=user)
    access.audit_event("link-single-sign-on", AuditEvent.Action.UPDATE, caller=caller, now=now, query=user.email).save()
