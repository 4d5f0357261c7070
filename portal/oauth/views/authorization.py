"""Authorization endpoint: https://hl7.org/fhir/smart-app-launch/app-launch.html#obtain-authorization-code

The app's request stays in the query of the address, and every step reads and checks it anew, so that nothing can be
changed between the steps.
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
from portal.oauth import online_apps, reauthentication
from portal.oauth.app_access import lasting, permissions
from scheduling.access import CONTEXT, IDENTITY, LASTING, Caller, grantable, read_scope, record_of

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url
LONGEST_NONCE = 255
PICKED = "whose"


@dataclass(frozen=True)
class AuthorizationRequest:
    """An app's checked request, with the scopes that can be granted."""

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
    """Base view that turns errors into responses: a redirect to the app if its redirect_uri is valid, else a page."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except OAuthToolkitError as error:
            may_redirect, details = self.error_response(error)
            if may_redirect:
                return _to_the_app(details["url"])
            return render(request, "portal/oauth/refused.html", {"error": details["error"]}, status=400)

    def authorization(self, request: HttpRequest, caller: Caller) -> AuthorizationRequest:
        """Read and check the app's request.

        Raises OAuthToolkitError, or its FatalClientError if the app must not get the error.
        """
        scopes, credentials = self.validate_authorization_request(request)
        application = Application.objects.get(client_id=credentials["client_id"])
        registration = AppRegistration.objects.filter(application=application).first() or AppRegistration()
        granted = grantable(scopes, registration.scopes.split())
        scopes = [scope for scope in granted if _can_be_given(scope, caller)]
        authorization = AuthorizationRequest(application, registration, scopes, credentials)
        if request.GET.get("aud", "").rstrip("/") != _base(request):
            raise authorization.refusal(InvalidRequestError, f"aud is {_base(request)}.")
        if credentials.get("code_challenge_method") != "S256":
            raise authorization.refusal(InvalidRequestError, "code_challenge_method is S256.")
        if not CHALLENGE.fullmatch(credentials["code_challenge"]):
            raise authorization.refusal(InvalidRequestError, "code_challenge is 43 characters of base64url.")
        if len(request.GET.get("nonce", "")) > LONGEST_NONCE or "\x00" in request.GET.get("nonce", ""):
            raise authorization.refusal(InvalidRequestError, f"nonce is {LONGEST_NONCE} characters at most.")
        return authorization

    def patient(self, request: HttpRequest, authorization: AuthorizationRequest, caller: Caller) -> Patient | None:
        """Return the patient for whom the app gets access: the only one, or the one that was picked."""
        if not authorization.is_for_patient:
            return None
        picked = request.GET.get(PICKED)
        candidates = caller.confided_patients
        if picked is None and len(candidates) == 1:
            return candidates[0]
        return next((each for each in candidates if each.fhir_id == picked), None)


@method_decorator(csrf_exempt, name="dispatch")
class AuthorizeView(_AuthorizationView):
    """View to which apps send people: sign in, pick the patient, and decide."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Redirect a posted request to the same request as a GET."""
        return redirect(f"{request.path}?{request.POST.urlencode()}")

    def get(self, request: HttpRequest) -> HttpResponse:
        caller = caller_of(request)
        authorization = self.authorization(request, caller)
        if caller.user is None:
            return reauthentication.first(request)
        if reauthentication.is_required(request):
            return reauthentication.ask(request)
        if not caller.patients and not caller.is_staff:
            return details_for(request.get_full_path())
        _require_something(authorization)
        patient = self.patient(request, authorization, caller)
        if authorization.is_for_patient and patient is None:
            return self._pick(request, authorization, caller)
        return consent(request, authorization, patient)

    def _pick(self, request: HttpRequest, authorization: AuthorizationRequest, caller: Caller) -> HttpResponse:
        kept = [(name, value) for name, value in request.GET.items() if name != PICKED]
        context = {
            "authorization": authorization,
            "patients": caller.confided_patients,
            "own": caller.patient,
            "kept": kept,
        }
        return render(request, "portal/oauth/pick.html", context)


class DecideView(_AuthorizationView):
    """View that receives the user's decision."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        caller = caller_of(request)
        authorization = self.authorization(request, caller)
        patient = self.patient(request, authorization, caller)
        if caller.user is None or (authorization.is_for_patient and patient is None):
            return redirect(f"{reverse('portal:authorize')}?{request.GET.urlencode()}")
        _require_something(authorization)
        allow = request.POST.get("decision") == "allow"
        ticked = {scope for value in request.POST.getlist("may") for scope in value.split()}
        given = [each for each in authorization.scopes if each in ticked or not _is_optional(each)]
        if allow and not any(map(read_scope, given)) and any(map(read_scope, authorization.scopes)):
            return consent(request, authorization, patient, nothing_ticked=True)
        credentials = {name: value for name, value in authorization.credentials.items() if name != "request"}
        address, _headers, _body, _status = self.create_authorization_response(
            request, " ".join(given), {**credentials, "patient": patient, "resource": []}, allow
        )
        if allow and _is_while_here(given):
            online_apps.remember(request.session, parse_qs(urlsplit(address).query)["code"][0])
        return _to_the_app(address)


def consent(
    request: HttpRequest, authorization: AuthorizationRequest, patient: Patient | None, *, nothing_ticked: bool = False
) -> HttpResponse:
    """Render the page that asks for consent. Its security policy allows the app's redirect_uri and logo."""
    caller = caller_of(request)
    context = {
        "authorization": authorization,
        "patient": patient,
        "is_own": patient is not None and patient == caller.patient,
        "permissions": permissions(authorization.scopes),
        "lasting": lasting(authorization.scopes),
        "lasting_scopes": " ".join(each for each in authorization.scopes if each in LASTING),
        "tells_who": "fhirUser" in authorization.scopes or "openid" in authorization.scopes,
        "goes_to": _site(authorization.credentials["redirect_uri"]),
        "query": request.GET.urlencode(),
        "address": f"{reverse('portal:authorize')}?{request.GET.urlencode()}",
        "nothing_ticked": nothing_ticked,
    }
    response = render(request, "portal/oauth/consent.html", context)
    response["Content-Security-Policy"] = content_security_policy(
        images=_origin(authorization.registration.logo_url), forms=_origin(authorization.credentials["redirect_uri"])
    )
    return response


def _to_the_app(address: str) -> HttpResponse:
    """Redirect to the app. The address is one of its registered redirect_uris, which was checked before."""
    return cast(HttpResponse, OAuth2ResponseRedirect(address, [urlsplit(address).scheme]))


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri(f"/{settings.FHIR_BASE_PATH}").rstrip("/")


def _origin(address: str) -> str:
    """Return the origin of an address for a content security policy, which cannot name IPv6 hosts."""
    parts = urlsplit(address)
    if "[" in parts.netloc or not parts.netloc:
        return f"{parts.scheme}:" if address else ""
    return f"{parts.scheme}://{parts.netloc}"


def _site(address: str) -> str:
    """Return the host that people go back to; empty for an app on their own device."""
    parts = urlsplit(address)
    return parts.netloc if parts.scheme == "https" else ""


def _is_for_patient(text: str) -> bool:
    scope = read_scope(text)
    return text == "launch/patient" or (scope is not None and scope.level == "patient")


def _can_be_given(text: str, caller: Caller) -> bool:
    """True if the caller can grant the scope."""
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
    """True if the user decides about the scope one by one; identity and launch context are always included."""
    return text in LASTING or text not in CONTEXT


def _require_something(authorization: AuthorizationRequest) -> None:
    if not any(read_scope(each) or each in IDENTITY for each in authorization.scopes):
        raise authorization.refusal(InvalidScopeError, "None of the requested scopes can be granted.")
