"""allauth's adapters: emails in the clinic's name and layout, the ways to sign in, and the second step."""

from email.utils import formataddr, parseaddr
from types import SimpleNamespace
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic import encryption
from clinic.authentication import AUTHENTICATOR_SECRET, ClinicBackend
from clinic.message_templates import MessageText
from clinic.models import User
from portal.account.single_sign_on import records
from scheduling.notifications.letters import framed
from scheduling.notifications.links import absolute

EMAIL_CHANGED = "account/email/email_changed"
ALLAUTHS_SECOND_STEP = "allauth.mfa.stages.AuthenticateStage"
SECOND_STEP = "portal.account.second_step.stage.SecondStep"
SINGLE_SIGN_ON_BACKEND = "clinic.authentication.SingleSignOnBackend"
# The ways to confirm that it is the user who has signed in, as links from the page of another way.
REAUTHENTICATION = {
    "reauthenticate": _("Use your password"),
    "mfa_reauthenticate": _("Use a code of the app"),
    "mfa_reauthenticate:webauthn": _("Use a passkey"),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Adapter for accounts: emails in the same layout as those about visits, and who may sign in how."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The email address or the password is wrong."),
    }

    def get_from_email(self) -> str:
        return formataddr((settings.CLINIC_NAME, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Return the email as text and as HTML. It names the clinic instead of the host."""
        clinic = SimpleNamespace(name=settings.CLINIC_NAME, domain=settings.CLINIC_NAME)
        about = {**context, "current_site": clinic, "reset_url": absolute(reverse("account_reset_password"))}
        plain = super().render_mail(template_prefix, email, about, headers)
        language = translation.get_language() or settings.LANGUAGE_CODE
        heading = plain.subject.removeprefix(settings.ACCOUNT_EMAIL_SUBJECT_PREFIX)
        letter = framed(MessageText(heading, str(plain.body)), language, phone=settings.CLINIC_PHONE)
        mail = EmailMultiAlternatives(
            subject=plain.subject,
            body=letter.text,
            from_email=plain.from_email,
            to=plain.to,
            reply_to=[settings.CLINIC_EMAIL] if settings.CLINIC_EMAIL else None,
            headers={"Auto-Submitted": "auto-generated", **(headers or {})},
        )
        mail.attach_alternative(letter.html, "text/html")
        return mail

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Send a notice of a change to the account. A new email address is notified at the old and the new one."""
        super().send_notification_mail(template_prefix, user, context, email)
        if template_prefix == EMAIL_CHANGED and context:
            super().send_notification_mail(template_prefix, user, context, context["to_email"])

    def pre_login(self, request: HttpRequest, user: User, **about: Any) -> HttpResponse | None:
        """Refuse an account that ClinicBackend refuses, also when it signs in without a password."""
        if ClinicBackend().user_can_authenticate(user):
            return None
        clear_login(request)
        return self.respond_user_inactive(request, user)  # type: ignore[no-any-return]

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin the session, with the backend of single sign-on if it begins by that."""
        if records.is_noted(request, user):
            user.backend = SINGLE_SIGN_ON_BACKEND
        super().login(request, user)

    def get_login_stages(self) -> list[str]:
        """Return allauth's stages, with our rule about who is asked for a second step."""
        stages = super().get_login_stages()
        return [SECOND_STEP if stage == ALLAUTHS_SECOND_STEP else stage for stage in stages]

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        methods = super().get_reauthentication_methods(user)
        return [{**method, "description": REAUTHENTICATION[method["id"]]} for method in methods]


class PasskeyAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Adapter for passkeys and authenticator apps: how devices name them, and how their secrets are stored."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This passkey does not work here. Sign in another way."),
        "unverified_email": _("Confirm your email address before you add another way to sign in."),
    }

    def is_mfa_enabled(self, user: User, types: Any = None) -> bool:
        """True if the account has an authenticator of these types. Whether it is asked for one, SecondStep decides."""
        return types is not None and bool(super().is_mfa_enabled(user, types))

    def get_totp_issuer(self) -> str:
        return str(settings.CLINIC_NAME)

    def build_totp_svg(self, url: str) -> SafeString:
        from portal.common import qr_codes  # no other page of accounts needs its library

        return qr_codes.drawing(url, gettext("QR code for the authenticator app"))

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text, AUTHENTICATOR_SECRET)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text, AUTHENTICATOR_SECRET)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey %(number)s") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the site that passkeys are for. Devices show its name."""
        return {**super().get_public_key_credential_rp_entity(), "name": settings.CLINIC_NAME}
