"""allauth's emails in the clinic's name and layout."""

from email.utils import formataddr, parseaddr
from types import SimpleNamespace
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from clinic.message_templates import MessageText
from clinic.models import User
from scheduling.notifications.letters import framed
from scheduling.notifications.links import absolute

EMAIL_CHANGED = "account/email/email_changed"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Adapter that sends allauth's emails in the same layout as emails about visits."""

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
