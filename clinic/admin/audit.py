"""Administration of the audit log, which can only be read."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ModelAdmin, ReadOnlyAdmin
from clinic.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin, ModelAdmin):
    section = "What was done"
    place_in_section = 1
    list_display = ("when", "subtype", "who", "patient", "appointment", "target")
    list_display_links = ("when",)
    # No filter may read the whole table, which is the longest of all.
    list_filter = ("action", ("reason", admin.EmptyFieldListFilter), "recorded")
    show_full_result_count = False
    list_select_related = ("user", "patient", "appointment__service", "appointment__site")
    search_fields = (
        *("=subtype", "user__email", "client"),
        *("patient__family", "patient__given", "patient__fhir_id", "appointment__fhir_id", "target"),
    )
    search_help_text = _("Search by user, software, patient, visit or action, such as read or book.")
    fields = (
        "when",
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

    @admin.display(description=_("when"), ordering="recorded")
    def when(self, event: AuditEvent) -> str:
        return event.recorded_in_words

    @admin.display(description=_("who"), ordering="user__email")
    def who(self, event: AuditEvent) -> str:
        return ", ".join(filter(None, (str(event.user or ""), event.client)))
