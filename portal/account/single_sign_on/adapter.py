"""allauth's adapters for single sign-on: the checks of what the provider says. Nobody is signed up by it."""

from secrets import compare_digest
from typing import Any, NoReturn

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.utils import perform_login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.single_sign_on import SingleSignOn
from portal.account.single_sign_on import records
from scheduling import single_sign_on
from scheduling.errors import Forbidden
from scheduling.single_sign_on import Identity


def provider_settings() -> SingleSignOn:
    """The settings of the provider, without which there are no pages of single sign-on."""
    provider = settings.SINGLE_SIGN_ON
    assert provider is not None
    return provider


class ProviderAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Adapter for the provider. It always verifies the signature of the ID token, and the issuer of the settings."""

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return str(build_absolute_uri(request, reverse("single_sign_on_callback")))

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwtkit.verify_and_decode(
                credential=id_token,
                keys_url=self.openid_config["jwks_uri"],
                issuer=provider_settings().issuer,
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
            )
        except KeyError as error:  # what a provider must send and this one has not
            raise OAuth2Error(f"No {error} from the provider") from error
        return claims


class StaffAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Adapter for accounts: those of staff alone are signed in to, and none is made."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        """Sign in to the account of the person, whom the provider has just named, instead of what allauth would do."""
        data = sociallogin.account.extra_data
        claims, nonce = data.get("id_token") or {}, sociallogin.state["data"]["nonce"]
        if not compare_digest(str(claims.get("nonce", "")), nonce):
            _refuse(request, _failed())
        try:
            user = single_sign_on.admit(_identity(claims, data.get("userinfo") or {}), now=timezone.now())
        except Forbidden as refusal:
            _refuse(request, str(refusal))
        if request.user.is_authenticated:
            get_adapter().logout(request)
        records.note(request, user)
        raise ImmediateHttpResponse(
            perform_login(
                request,
                user,
                email_verification=EmailVerificationMethod.NONE,
                redirect_url=sociallogin.get_redirect_url(request),
            )
        )

    def on_authentication_error(self, request: HttpRequest, provider: Any, **about: Any) -> NoReturn:
        _refuse(request, _failed())


def _identity(claims: dict[str, Any], userinfo: dict[str, Any]) -> Identity:
    """The person whom the ID token names. More of them is taken from userinfo, if that is about the same one."""
    more = userinfo if userinfo.get("sub") == claims["sub"] else {}
    known, email, provider = {**more, **claims}, "", provider_settings()
    if provider.proves_email or known.get("email_verified") is True:
        email = str(known.get(provider.email_claim) or "")
    return Identity(str(claims["sub"]), email)


def _failed() -> str:
    text = _("%(provider)s did not sign you in. Try again, or sign in another way.")
    return text % {"provider": provider_settings().name}


def _refuse(request: HttpRequest, text: str) -> NoReturn:
    messages.error(request, text)
    raise ImmediateHttpResponse(redirect("account_login"))
