"""Administration of plug-ins: those that are installed, and their failures."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from clinic.admin.base import ModelAdmin
from clinic.models import PluginFailure
from scheduling import plugins


@admin.register(PluginFailure)
class PluginFailureAdmin(ModelAdmin):
    """The list of failures, below the plug-ins that are installed. A row can be deleted once its cause is gone."""

    section = "Software"
    place_in_section = 9
    list_display = ("plugin", "method", "error", "count", "since", "last")
    list_filter = ("plugin",)
    change_list_template = "admin/plugins.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PluginFailure | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"installed": plugins.installed(), **(extra_context or {})})
