"""allauth's views with a form: form drafts keep the typed data in the session, but never a password."""

from collections.abc import Callable
from typing import Any

from allauth.account import views as allauth
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path, re_path
from django.views.generic.edit import FormView

from portal.common import form_drafts


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


def _page(view: type["FormView[Any]"]) -> Callable[..., HttpResponseBase]:
    kept: type[FormView[Any]] = type(view.__name__, (_TypedForm, view), {})
    return form_drafts.page(kept.as_view())  # type: ignore[arg-type]  # allauth answers with whole pages, no streams


_confirm_code = _page(allauth.ConfirmEmailVerificationCodeView)


def email_verification_sent(request: HttpRequest) -> HttpResponseBase:
    """The page after signing up: it asks for the code where addresses are proven by one."""
    if allauth.app_settings.EMAIL_VERIFICATION_BY_CODE_ENABLED:
        return _confirm_code(request)
    return allauth.email_verification_sent(request)  # type: ignore[no-any-return]


urlpatterns = [
    path("login/", _page(allauth.LoginView), name="account_login"),
    path("signup/", _page(allauth.SignupView), name="account_signup"),
    path("reauthenticate/", _page(allauth.ReauthenticateView), name="account_reauthenticate"),
    path("email/", _page(allauth.EmailView), name="account_email"),
    path("confirm-email/", email_verification_sent, name="account_email_verification_sent"),
    path("password/change/", _page(allauth.PasswordChangeView), name="account_change_password"),
    path("password/set/", _page(allauth.PasswordSetView), name="account_set_password"),
    path("password/reset/", _page(allauth.PasswordResetView), name="account_reset_password"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        _page(allauth.PasswordResetFromKeyView),
        name="account_reset_password_from_key",
    ),
]
