"""Views of single sign-on: the way to the provider, and back from it."""

import secrets

from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from clinic.single_sign_on import PROVIDER
from portal.account.single_sign_on.adapter import ProviderAdapter


@require_POST
@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """Redirect to the provider, which asks who this is."""
    if settings.SINGLE_SIGN_ON is None:
        raise Http404
    provider = get_adapter().get_provider(request, PROVIDER)
    provider.oauth2_adapter_class = ProviderAdapter
    nonce = secrets.token_urlsafe(16)
    next_page = get_next_redirect_url(request)
    try:
        response: HttpResponse = provider.redirect(
            request, AuthProcess.LOGIN, next_page, {"nonce": nonce}, auth_params={"nonce": nonce}
        )
    except (ImmediateHttpResponse, RequestException) as error:
        return _refusal(request, provider, error)
    return response


@require_GET
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """Sign in to the account of the person whom the provider names."""
    if settings.SINGLE_SIGN_ON is None:
        raise Http404
    response: HttpResponse = OAuth2CallbackView.adapter_view(ProviderAdapter(request, PROVIDER))(request)
    return response


def _refusal(request: HttpRequest, provider: object, error: Exception) -> HttpResponse:
    response: HttpResponse = render_authentication_error(request, provider, exception=error)
    return response
