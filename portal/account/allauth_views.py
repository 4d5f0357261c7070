"""allauth's views with a form: form drafts keep the typed data in the session, but never a password."""

from collections.abc import Callable
from typing import Any

from allauth.account import views as allauth
from allauth.account.utils import passthrough_next_redirect_url
from allauth.mfa.webauthn import views as passkeys
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic.edit import FormView

from portal.common import form_drafts
from portal.common.middleware import content_security_policy


class _TypedForm:
    """Mixin for a form view of allauth that makes its form with portal.common.form_drafts."""

    request: HttpRequest
    get_form_class: Callable[[], type[forms.Form]]
    get_form_kwargs: Callable[[], dict[str, Any]]
    _cached_form: forms.Form | None = None

    def get_form(self, form_class: type[forms.Form] | None = None) -> forms.Form:
        if self._cached_form is None:
            options = {name: each for name, each in self.get_form_kwargs().items() if name not in ("data", "files")}
            self._cached_form = form_drafts.form(self.request, form_class or self.get_form_class(), **options)
        return self._cached_form

    def form_valid(self, form: forms.Form) -> HttpResponse:
        form_drafts.done(self.request)
        return super().form_valid(form)  # type: ignore[misc, no-any-return]


def page(view: type["FormView[Any]"]) -> Callable[..., HttpResponseBase]:
    """Return the view of a page with a form, whose typed data is kept."""
    kept: type[FormView[Any]] = type(view.__name__, (_TypedForm, view), {})
    return form_drafts.page(kept.as_view())  # type: ignore[arg-type]  # allauth answers with whole pages, no streams


_confirm_code = page(allauth.ConfirmEmailVerificationCodeView)


class LoginView(allauth.LoginView):  # type: ignore[misc]
    """The sign-in page. Where staff sign in by a provider of the clinic, its form may lead there."""

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return {**super().get_context_data(**context), "single_sign_on": settings.SINGLE_SIGN_ON}

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **options)
        if settings.SINGLE_SIGN_ON:
            policy = content_security_policy(forms=settings.SINGLE_SIGN_ON.origin)
            response.headers["Content-Security-Policy"] = policy
        return response


class AddPasskeyView(passkeys.AddWebAuthnView):  # type: ignore[misc]
    """The view that adds a passkey: one that is kept on the device, which checks who uses it."""

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        page = super().get_context_data(**context)
        options = auth.begin_registration(self.request.user, passwordless=True)  # in place of the challenge made above
        return {**page, "js_data": {"creation_options": options}}


class PasskeyLoginView(passkeys.LoginWebAuthnView):  # type: ignore[misc]
    """The view that signs in with a passkey. After a refusal the way to the wanted page is kept."""

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        super().form_invalid(form)
        return redirect(passthrough_next_redirect_url(self.request, reverse("account_login"), "next"))


class ConfirmByPasskeyView(passkeys.ReauthenticateWebAuthnView):  # type: ignore[misc]
    """The view that asks for a passkey again before a sensitive change. After a refusal it asks once more."""

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        super().form_invalid(form)
        return redirect(self.request.get_full_path())


def email_verification_sent(request: HttpRequest) -> HttpResponseBase:
    """The page after signing up: it asks for the code where addresses are proven by one."""
    if allauth.app_settings.EMAIL_VERIFICATION_BY_CODE_ENABLED:
        return _confirm_code(request)
    return allauth.email_verification_sent(request)  # type: ignore[no-any-return]
