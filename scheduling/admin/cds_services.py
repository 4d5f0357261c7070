"""Administration of decision services, which are asked before a visit is booked."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic import http_client
from clinic.admin.base import ModelAdmin, ModelForm
from clinic.models import CdsService


class CdsServiceForm(ModelForm):
    """Form of a decision service. Its address is one that is called, and requests to it can be signed."""

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            http_client.check_url(url)
        except http_client.NotAllowed as refusal:
            raise ValidationError(str(refusal)) from None
        return url

    def clean(self) -> dict[str, Any] | None:
        if not settings.OIDC_RSA_PRIVATE_KEY:
            raise ValidationError(_("Set OIDC_RSA_PRIVATE_KEY first: requests to these services are signed."))
        return super().clean()


@admin.register(CdsService)
class CdsServiceAdmin(ModelAdmin):
    section = "Software"
    place_in_section = 8
    form = CdsServiceForm
    list_display = ("name", "url", "active", "stops", "failures", "last_error", "last_failed")
    list_filter = ("active",)
    search_fields = ("name", "url")
    readonly_fields = ("failures", "last_error", "last_failed")
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "url", "active", "stops", "sends_records"),
                "description": _(
                    "Asked by CDS Hooks (appointment-book) before a visit is booked, confirmed or moved. Its cards are"
                    " shown to whoever books."
                ),
            },
        ),
        (
            _("Failures"),
            {
                "fields": ("failures", "last_error", "last_failed"),
                "description": _("A service that fails or is too slow never stops a booking."),
            },
        ),
    )
