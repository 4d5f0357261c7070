"""Email to administrators about a webhook that was turned off."""

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.models import EventReceiver, User


def tell_administrators(webhook: EventReceiver) -> None:
    """Send the email to each administrator with an address, in the clinic's language."""
    administrators = User.objects.filter(is_superuser=True, is_active=True).exclude(email="")
    address = settings.SITE_URL + reverse("admin:clinic_eventreceiver_change", args=[webhook.pk])
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("The webhook %(name)s was turned off") % {"name": webhook.name}
        text = _(
            "Nothing could be sent to %(address)s for more than a day. The last error:\n%(error)s\n\n"
            "Once it works again, turn the webhook on here; what was missed can be sent again from its log:\n%(page)s"
        ) % {"address": webhook.url, "error": webhook.error, "page": address}
    for email in administrators.values_list("email", flat=True):
        send_mail(subject, text, None, [email])
