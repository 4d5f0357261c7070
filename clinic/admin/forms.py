"""What is asked before a visit."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from clinic.admin.base import ResourceAdmin
from clinic.models import Questionnaire


@admin.register(Questionnaire)
class QuestionnaireAdmin(ResourceAdmin):
    list_display = ("title", "status", "asked_before", "last_updated")
    list_filter = ("status",)
    search_fields = ("title", "name", "url", "fhir_id")
    date_hierarchy = "last_updated"
    fieldsets = (
        (None, {"fields": ("title", "status", "item")}),
        ("For other systems", {"fields": ("name", "url", "identifier"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        questionnaires: QuerySet[Any] = super().get_queryset(request).annotate(service_count=Count("services"))
        return questionnaires

    @admin.display(description="kinds of visit", ordering="service_count")
    def asked_before(self, questionnaire: Any) -> int:
        return int(questionnaire.service_count)
