"""Administration of the sites that may show the booking in a frame."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from clinic import embedding
from clinic.admin.base import ModelAdmin, ModelForm
from clinic.models import EmbedOrigin


class EmbedOriginForm(ModelForm):
    """Form of an origin."""

    def clean_origin(self) -> str:
        origin: str = self.cleaned_data["origin"].strip().rstrip("/").lower()
        if not embedding.is_origin(origin):
            raise ValidationError(_("Enter scheme and host alone, such as https://www.clinic.example."))
        return origin


@admin.register(EmbedOrigin)
class EmbedOriginAdmin(ModelAdmin):
    section = "The clinic"
    place_in_section = 8
    form = EmbedOriginForm
    list_display = ("origin", "added")
    search_fields = ("origin",)
    fieldsets = (
        (
            None,
            {
                "fields": ("origin",),
                "description": _("Pages of this site may show the booking in a frame; pages of other sites may not."),
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: EmbedOrigin, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        embedding.forget_origins()

    def delete_model(self, request: HttpRequest, obj: EmbedOrigin) -> None:
        super().delete_model(request, obj)
        embedding.forget_origins()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[EmbedOrigin]) -> None:
        super().delete_queryset(request, queryset)
        embedding.forget_origins()
