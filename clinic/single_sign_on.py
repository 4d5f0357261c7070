"""Settings for single sign-on of staff by OpenID Connect. An invalid value stops the start."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

PROVIDER = "staff"  # the id of the one provider


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """The provider that signs staff in: https://openid.net/specs/openid-connect-core-1_0.html

    `email_claim` is the claim that names the account. With `proves_email` every address that the provider gives counts
    as verified, else only one with `email_verified`. With `is_second_step` nobody is asked for a second step after it.
    """

    issuer: str
    client_id: str
    secret: str
    name: str
    email_claim: str
    proves_email: bool
    is_second_step: bool

    @property
    def origin(self) -> str:
        address = urlsplit(self.issuer)
        return f"{address.scheme}://{address.netloc}"

    @property
    def providers(self) -> dict[str, Any]:
        """The provider as allauth's setting SOCIALACCOUNT_PROVIDERS has it."""
        discovery = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        app = {
            "provider_id": PROVIDER,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.secret,
            "settings": {"server_url": discovery, "oauth_pkce_enabled": True, "scope": ["openid", "profile", "email"]},
        }
        return {"openid_connect": {"APPS": [app]}}


def check(single_sign_on: SingleSignOn, *, is_demo: bool) -> SingleSignOn | None:
    """Return the settings; None if no issuer is named. Raises ImproperlyConfigured."""
    if not single_sign_on.issuer:
        return None
    address = urlsplit(single_sign_on.issuer)
    is_local = is_demo and address.hostname in ("127.0.0.1", "localhost")
    if not address.hostname or (address.scheme != "https" and not is_local) or address.query or address.fragment:
        raise ImproperlyConfigured("SINGLE_SIGN_ON_ISSUER must be the https address of the provider, its issuer.")
    if not single_sign_on.client_id or not single_sign_on.secret:
        raise ImproperlyConfigured("SINGLE_SIGN_ON_CLIENT_ID and SINGLE_SIGN_ON_CLIENT_SECRET must be set.")
    if not single_sign_on.email_claim:
        raise ImproperlyConfigured("SINGLE_SIGN_ON_EMAIL_CLAIM must be a claim, such as email.")
    return replace(single_sign_on, name=single_sign_on.name or address.hostname)
