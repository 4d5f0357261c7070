"""Whether to let an app in: https://hl7.org/fhir/smart-app-launch/app-launch.html#obtain-authorization-code

What the app asks for stays in the address, and every step reads it there and checks it anew: there is nothing that
could be changed on the way.
"""

import re
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.models import Application
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.oauth2 import InvalidRequestError, InvalidScopeError

from clinic.models import AppRegistration, Patient
from portal.common.callers import caller_of, details_for
from portal.common.middleware import content_security_policy
from portal.oauth.app_access import lasting, permissions
from portal.oauth.views import online_apps, signing_in_again
from scheduling.access import CONTEXT, IDENTITY, LASTING, Caller, grantable, read_scope, record_of

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url
LONGEST_NONCE = 255
PICKED = "whose"


@dataclass(frozen=True)
class Asked:
    """What an app asks for, and may be given."""

    application: Any
    registration: AppRegistration
    scopes: list[str]
    credentials: dict[str, Any]

    @property
    def is_for_patient(self) -> bool:
        return any(_is_for_patient(each) for each in self.scopes)

    def refusal(self, kind: Any, text: str) -> OAuthToolkitError:
        return OAuthToolkitError(error=kind(description=text, request=self.credentials["request"]))


@method_decorator(never_cache, name="dispatch")
class _AuthorizationView(OAuthLibMixin, View):  # type: ignore[misc]
    """Refuses what is wrong: to the app, once it is sure that the address to go back to is the app's own."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except OAuthToolkitError as error:
            is_ours_to_tell, told = self.error_response(error)
            if is_ours_to_tell:
                return _to_the_app(told["url"])
            return render(request, "portal/apps/refused.html", {"error": told["error"]}, status=400)

    def asked(self, request: HttpRequest, caller: Caller) -> Asked:
        """Raises OAuthToolkitError, where the app may be told of it, or its FatalClientError."""
        scopes, credentials = self.validate_authorization_request(request)
        application = Application.objects.get(client_id=credentials["client_id"])
        registration = AppRegistration.objects.filter(application=application).first() or AppRegistration()
        granted = grantable(scopes, registration.scopes.split())
        asked = Asked(application, registration, [each for each in granted if _can_be_given(each, caller)], credentials)
        if request.GET.get("aud", "").rstrip("/") != _base(request):
            raise asked.refusal(InvalidRequestError, f"aud is {_base(request)}.")
        if credentials.get("code_challenge_method") != "S256":
            raise asked.refusal(InvalidRequestError, "code_challenge_method is S256.")
        if not CHALLENGE.fullmatch(credentials["code_challenge"]):
            raise asked.refusal(InvalidRequestError, "code_challenge is 43 characters of base64url.")
        if len(request.GET.get("nonce", "")) > LONGEST_NONCE or "\x00" in request.GET.get("nonce", ""):
            raise asked.refusal(InvalidRequestError, f"nonce is {LONGEST_NONCE} characters at most.")
        return asked

    def patient(self, request: HttpRequest, asked: Asked, caller: Caller) -> Patient | None:
        """Whom the app is to see: the only one there is, or the one who was picked."""
        if not asked.is_for_patient:
            return None
        picked = request.GET.get(PICKED)
        candidates = list(caller.patients.values())
        if picked is None and len(candidates) == 1:
            return candidates[0]
        return next((each for each in candidates if each.fhir_id == picked), None)


@method_decorator(csrf_exempt, name="dispatch")
class AuthorizeView(_AuthorizationView):
    """Where apps send people: first to sign in, then to say whose visits it is about, then to decide."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """An app may post what it asks for. It is read from the address, as if it had been asked so."""
        return redirect(f"{request.path}?{request.POST.urlencode()}")

    def get(self, request: HttpRequest) -> HttpResponse:
        caller = caller_of(request)
        asked = self.asked(request, caller)
        if caller.user is None:
            return signing_in_again.first(request)
        if signing_in_again.is_wanted(request):
            return signing_in_again.ask(request)
        if not caller.patients and not caller.is_staff:
            return details_for(request.get_full_path())
        _require_something(asked)
        patient = self.patient(request, asked, caller)
        if asked.is_for_patient and patient is None:
            return self._pick(request, asked, caller)
        return consent(request, asked, patient)

    def _pick(self, request: HttpRequest, asked: Asked, caller: Caller) -> HttpResponse:
        kept = [(name, value) for name, value in request.GET.items() if name != PICKED]
        context = {"asked": asked, "patients": caller.patients.values(), "own": caller.patient, "kept": kept}
        return render(request, "portal/apps/pick.html", context)


class DecideView(_AuthorizationView):
    """What the person has decided."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        caller = caller_of(request)
        asked = self.asked(request, caller)
        patient = self.patient(request, asked, caller)
        if caller.user is None or (asked.is_for_patient and patient is None):
            return redirect(f"{reverse('portal:authorize')}?{request.GET.urlencode()}")
        _require_something(asked)
        allow = request.POST.get("decision") == "allow"
        ticked = {scope for value in request.POST.getlist("may") for scope in value.split()}
        given = [each for each in asked.scopes if each in ticked or not _is_optional(each)]
        if allow and not any(map(read_scope, given)) and any(map(read_scope, asked.scopes)):
            return consent(request, asked, patient, nothing_ticked=True)
        credentials = {name: value for name, value in asked.credentials.items() if name != "request"}
        address, _headers, _body, _status = self.create_authorization_response(
            request, " ".join(given), {**credentials, "patient": patient, "resource": []}, allow
        )
        if allow and _is_while_here(given):
            online_apps.remember(request.session, parse_qs(urlsplit(address).query)["code"][0])
        return _to_the_app(address)


def consent(
    request: HttpRequest, asked: Asked, patient: Patient | None, *, nothing_ticked: bool = False
) -> HttpResponse:
    """The page that asks. Its form may lead on to the app, and the app's own logo be shown."""
    caller = caller_of(request)
    context = {
        "asked": asked,
        "patient": patient,
        "is_own": patient is not None and patient == caller.patient,
        "permissions": permissions(asked.scopes),
        "lasting": lasting(asked.scopes),
        "lasting_scopes": " ".join(each for each in asked.scopes if each in LASTING),
        "tells_who": "fhirUser" in asked.scopes or "openid" in asked.scopes,
        "goes_to": _site(asked.credentials["redirect_uri"]),
        "query": request.GET.urlencode(),
        "address": f"{reverse('portal:authorize')}?{request.GET.urlencode()}",
        "nothing_ticked": nothing_ticked,
    }
    response = render(request, "portal/apps/consent.html", context)
    response["Content-Security-Policy"] = content_security_policy(
        images=_origin(asked.registration.logo_url), forms=_origin(asked.credentials["redirect_uri"])
    )
    return response


def _to_the_app(address: str) -> HttpResponse:
    """To an address that is registered for it: no other comes this far, and which may be is for the registration."""
    return cast(HttpResponse, OAuth2ResponseRedirect(address, [urlsplit(address).scheme]))


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri(f"/{settings.FHIR_BASE_PATH}").rstrip("/")


def _origin(address: str) -> str:
    """As a content security policy names it: which has no words for the host of an IPv6 address."""
    parts = urlsplit(address)
    if "[" in parts.netloc or not parts.netloc:
        return f"{parts.scheme}:" if address else ""
    return f"{parts.scheme}://{parts.netloc}"


def _site(address: str) -> str:
    """Where people go back to, as they know it; empty for an app on their own device."""
    parts = urlsplit(address)
    return parts.netloc if parts.scheme == "https" else ""


def _is_for_patient(text: str) -> bool:
    scope = read_scope(text)
    return text == "launch/patient" or (scope is not None and scope.level == "patient")


def _can_be_given(text: str, caller: Caller) -> bool:
    """True if this person could give it at all."""
    scope = read_scope(text)
    if scope is not None and scope.level == "system":
        return False
    if text in IDENTITY and not settings.OAUTH2_PROVIDER["OIDC_ENABLED"]:
        return False
    if text == "fhirUser" and caller.user is not None:
        return record_of(caller.user) is not None
    return not (_is_for_patient(text) and caller.user is not None and caller.is_staff and not caller.patients)


def _is_while_here(scopes: list[str]) -> bool:
    return "online_access" in scopes and "offline_access" not in scopes


def _is_optional(text: str) -> bool:
    """Who the person is and about whom goes with the rest; what the app may see and do is decided one by one."""
    return text in LASTING or text not in CONTEXT


def _require_something(asked: Asked) -> None:
    if not any(read_scope(each) or each in IDENTITY for each in asked.scopes):
        raise asked.refusal(InvalidScopeError, "Nothing of what is asked for can be allowed.")
