"""Views of the second step of signing in: the app that gives codes, recovery codes, and the step itself."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.account.internal.decorators import login_stage_required
from allauth.mfa.base.views import ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.internal.auth import begin_authentication
from allauth.mfa.webauthn.views import ListWebAuthnView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django.views.generic.edit import FormView

from clinic.models import User
from portal.account import sessions
from portal.account.passkey_forms import SecondStepPasskeyForm
from portal.account.second_step import recovery_codes
from portal.account.second_step.forms import AddAppForm, ConfirmByCodeForm, SecondStepForm
from portal.account.second_step.stage import SecondStep
from portal.common.callers import caller_of, sign_in_required
from scheduling import access, second_factors

in_second_step = method_decorator(
    login_stage_required(stage=SecondStep.key, redirect_urlname="account_login"), name="dispatch"
)


class SecurityView(ListWebAuthnView):  # type: ignore[misc]
    """The page of the ways to sign in to one's account, with the second step of staff."""

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        user = self.request.user
        app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
        return {
            **super().get_context_data(**context),
            "app": app,
            "may_add_app": access.may_have_second_factor(caller_of(self.request)),
            "codes_left": len(second_factors.unused_recovery_codes(user)) if app else 0,
            "sessions": sessions.sessions(self.request, now=timezone.now()),
        }


class AddAppView(ActivateTOTPView):  # type: ignore[misc]
    """The view that adds an authenticator app: it shows the key, and asks for the first code."""

    form_class = AddAppForm
    success_url = reverse_lazy("mfa_view_recovery_codes")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        caller = caller_of(request)
        if caller.user is not None and not access.may_have_second_factor(caller):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[no-any-return]

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        page = super().get_context_data(**context)
        secret = page["form"].secret
        return {**page, "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))}

    def get_success_url(self) -> str:
        return str(self.success_url)

    def form_valid(self, form: forms.Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        second_factors.use_code(self.request.user, form.cleaned_data["code"], now=timezone.now())
        recovery_codes.make(self.request)
        return response


@in_second_step
class SecondStepView(FormView):  # type: ignore[type-arg]
    """The view of the second step of signing in."""

    form_class = SecondStepForm
    template_name = "mfa/authenticate.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": _user(self.request), "now": timezone.now()}

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        page, user = super().get_context_data(**context), _user(self.request)
        if Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists():
            page["js_data"] = {"request_options": begin_authentication(user)}
        return page

    def form_valid(self, form: Any) -> HttpResponse:
        form.save()
        if form.authenticator.type == Authenticator.Type.RECOVERY_CODES:
            messages.warning(self.request, _recovery_code_used(_user(self.request)))
        return _signed_in(self.request)


@in_second_step
class SecondStepPasskeyView(FormView):  # type: ignore[type-arg]
    """The view of the second step by a passkey."""

    http_method_names = ["post"]
    form_class = SecondStepPasskeyForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": _user(self.request)}

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        for text in form.errors.get("credential", []):
            messages.error(self.request, str(text))
        return redirect("mfa_authenticate")

    def form_valid(self, form: Any) -> HttpResponse:
        form.save()
        return _signed_in(self.request)


class ConfirmByCodeView(ReauthenticateView):  # type: ignore[misc]
    """The view that asks for a code again before a sensitive change."""

    form_class = ConfirmByCodeForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "now": timezone.now()}


@sign_in_required
@require_GET
def required(request: HttpRequest) -> HttpResponse:
    """Say that the account must have a second step, and lead to adding one."""
    user = caller_of(request).user
    assert user is not None  # sign_in_required
    if user.second_factor_due is None:
        return redirect("portal:start")
    context = {"due": user.second_factor_due, "has_time": not access.lacks_second_factor(user, timezone.now())}
    return render(request, "mfa/required.html", context)


@sign_in_required
@require_GET
@reauthentication_required(app="allauth.mfa")  # type: ignore[untyped-decorator]
def show_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Show new recovery codes until they are kept; later only how many are left."""
    user = caller_of(request).user
    assert user is not None  # sign_in_required
    codes = second_factors.unused_recovery_codes(user)
    context: dict[str, Any] = {"codes_left": len(codes)}
    if recovery_codes.are_new(request.session):
        context |= {"codes": codes, "file": "\r\n".join([settings.CLINIC_NAME, *codes, ""])}
    return render(request, "mfa/recovery_codes/index.html", context)


@sign_in_required
@require_POST
@reauthentication_required(app="allauth.mfa")  # type: ignore[untyped-decorator]
def make_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes, which end the earlier ones."""
    user = caller_of(request).user
    assert user is not None  # sign_in_required
    if not second_factors.is_asked_of(user, now=timezone.now()):
        raise PermissionDenied
    recovery_codes.make(request)
    get_adapter().send_notification_mail("mfa/email/recovery_codes_generated", user)
    return redirect("mfa_view_recovery_codes")


@sign_in_required
@require_POST
def keep_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Stop showing the new recovery codes, which their owner has kept."""
    recovery_codes.forget(request.session)
    return redirect("mfa_list_webauthn")


def _user(request: HttpRequest) -> User:
    """The account whose second step this is."""
    user: User = request._login_stage.login.user  # type: ignore[attr-defined]  # set by login_stage_required
    return user


def _signed_in(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = request._login_stage.exit()  # type: ignore[attr-defined]
    return response


def _recovery_code_used(user: User) -> str:
    left = len(second_factors.unused_recovery_codes(user))
    text = ngettext(
        "You used a recovery code. %(count)s is left: make new ones in time.",
        "You used a recovery code. %(count)s are left: make new ones in time.",
        left,
    )
    return text % {"count": left}
