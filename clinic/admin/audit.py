"""Who did what: to be read, never written."""

from django.contrib import admin

from clinic.admin.base import ModelAdmin, ReadOnly
from clinic.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, ModelAdmin):
    list_display = ("recorded", "subtype", "who", "patient", "appointment", "target")
    list_filter = ("subtype", "action", "recorded")
    list_select_related = ("user", "patient", "appointment__service")
    search_fields = ("user__email", "client", "patient__family", "patient__given", "appointment__fhir_id", "target")
    date_hierarchy = "recorded"
    fields = (
        "recorded",
        "subtype",
        "action",
        "user",
        "client",
        "patient",
        "appointment",
        "target",
        "query",
        "reason",
        "fhir_id",
    )
    list_per_page = 50

    @admin.display(description="who", ordering="user__email")
    def who(self, event: AuditEvent) -> str:
        return ", ".join(filter(None, (str(event.user or ""), event.client)))
