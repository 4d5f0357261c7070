"""URL patterns of the pages of accounts: those of allauth that have a form of ours, the second step, single sign-on."""

from allauth.account import views as allauth
from allauth.mfa.totp.views import DeactivateTOTPView
from allauth.mfa.webauthn import views as passkeys
from django.urls import path, re_path

from portal.account.allauth_views import (
    AddPasskeyView,
    ConfirmByPasskeyView,
    LoginView,
    PasskeyLoginView,
    email_verification_sent,
    page,
)
from portal.account.second_step import views as second_step
from portal.account.single_sign_on import views as single_sign_on

urlpatterns = [
    path("login/", page(LoginView), name="account_login"),
    path("single-sign-on/", single_sign_on.begin, name="single_sign_on"),
    path("single-sign-on/callback/", single_sign_on.callback, name="single_sign_on_callback"),
    path("login/code/", page(allauth.RequestLoginCodeView), name="account_request_login_code"),
    path("login/code/confirm/", page(allauth.ConfirmLoginCodeView), name="account_confirm_login_code"),
    path("second-step/", page(second_step.SecondStepView), name="mfa_authenticate"),
    path("second-step/passkey/", second_step.SecondStepPasskeyView.as_view(), name="mfa_authenticate_webauthn"),
    path("second-step/required/", second_step.required, name="mfa_required"),
    path("security/", second_step.SecurityView.as_view(), name="mfa_list_webauthn"),
    path("security/", second_step.SecurityView.as_view(), name="mfa_index"),
    path("app/add/", page(second_step.AddAppView), name="mfa_activate_totp"),
    path("app/remove/", DeactivateTOTPView.as_view(), name="mfa_deactivate_totp"),
    path("recovery-codes/", second_step.show_recovery_codes, name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", second_step.make_recovery_codes, name="mfa_generate_recovery_codes"),
    path("recovery-codes/kept/", second_step.keep_recovery_codes, name="mfa_keep_recovery_codes"),
    path("reauthenticate/code/", page(second_step.ConfirmByCodeView), name="mfa_reauthenticate"),
    path("passkeys/login/", PasskeyLoginView.as_view(), name="mfa_login_webauthn"),
    path("passkeys/add/", page(AddPasskeyView), name="mfa_add_webauthn"),
    path("passkeys/reauthenticate/", ConfirmByPasskeyView.as_view(), name="mfa_reauthenticate_webauthn"),
    path("passkeys/<int:pk>/edit/", page(passkeys.EditWebAuthnView), name="mfa_edit_webauthn"),
    path("passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path("signup/", page(allauth.SignupView), name="account_signup"),
    path("reauthenticate/", page(allauth.ReauthenticateView), name="account_reauthenticate"),
    path("email/", page(allauth.EmailView), name="account_email"),
    path("confirm-email/", email_verification_sent, name="account_email_verification_sent"),
    path("password/change/", page(allauth.PasswordChangeView), name="account_change_password"),
    path("password/set/", page(allauth.PasswordSetView), name="account_set_password"),
    path("password/reset/", page(allauth.PasswordResetView), name="account_reset_password"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        page(allauth.PasswordResetFromKeyView),
        name="account_reset_password_from_key",
    ),
]
