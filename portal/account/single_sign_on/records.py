"""The note in a session that it began at the clinic's OpenID Connect provider."""

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.http import HttpRequest

from clinic.models import User

_METHOD = "single-sign-on"


def note(request: HttpRequest, user: User) -> None:
    """Note that the provider has named the user."""
    record_authentication(request, user, _METHOD)


def is_noted(request: HttpRequest, user: User) -> bool:
    """True if the provider has named the user in this session."""
    return any(record["method"] == _METHOD for record in get_authentication_records(request, user))
