"""Administration of questionnaires and of patients' answers."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import OnceForm, ResourceAdmin
from clinic.admin.links import visit_link
from clinic.admin.people import INTEGRATORS
from clinic.models import Questionnaire, QuestionnaireResponse, concept_text


@admin.register(Questionnaire)
class QuestionnaireAdmin(ResourceAdmin):
    section = "What can be booked"
    place_in_section = 3
    list_display = ("title", "status", "asked_before", "last_updated")
    list_filter = ("status",)
    search_fields = ("title", "name", "url", "fhir_id")
    date_hierarchy = "last_updated"
    fieldsets = (
        (
            None,
            {
                "fields": ("title", "status"),
                "description": _("Its questions are written under Set up, Questions before visits."),
            },
        ),
        (
            _("For other systems"),
            {"fields": ("item", "name", "url", "identifier"), "classes": ("collapse",), "description": INTEGRATORS},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        questionnaires: QuerySet[Any] = super().get_queryset(request).annotate(service_count=Count("services"))
        return questionnaires

    def view_on_site(self, questionnaire: Any) -> str:
        """Return the address of the questionnaire as patients see it."""
        return reverse("portal:questionnaire-preview", args=[questionnaire.fhir_id])

    @admin.display(description=_("kinds of visit"), ordering="service_count")
    def asked_before(self, questionnaire: Any) -> int:
        return int(questionnaire.service_count)


class ResponseForm(OnceForm):
    once = ("appointment", "questionnaire")
    once_field = "status"
    once_error = _("There are other answers to this questionnaire for the same visit. Change those.")


@admin.register(QuestionnaireResponse)
class QuestionnaireResponseAdmin(ResourceAdmin):
    """The administration of answers. Staff can read them and change their status, but not the answers."""

    section = "Visits"
    place_in_section = 4
    form = ResponseForm
    list_display = ("questionnaire", "patient", "status", "authored", "visit")
    list_filter = ("status", ("questionnaire", admin.RelatedOnlyFieldListFilter))
    related = ("questionnaire", "patient", "appointment__service", "appointment__site")
    search_fields = ("patient__family", "patient__given", "questionnaire__title", "appointment__fhir_id", "fhir_id")
    date_hierarchy = "authored"
    facts = ("questionnaire", "patient", "visit", "authored", "answers")
    readonly_fields = (*ResourceAdmin.readonly_fields, *facts)
    fieldsets = ((None, {"fields": ("status", *facts)}),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("visit"), ordering="appointment__start")
    def visit(self, response: QuestionnaireResponse) -> SafeString | None:
        return visit_link(response.appointment)

    @admin.display(description=_("answers"))
    def answers(self, response: QuestionnaireResponse) -> SafeString:
        questions = dict(_questions(response.questionnaire.item if response.questionnaire else ()))
        return format_html_join("", "<div><strong>{}</strong> {}</div>", _answer_lines(response.item, questions))


def _questions(items: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for item in items:
        yield item["linkId"], item.get("text", "")
        yield from _questions(item.get("item", ()))


def _answer_lines(items: Iterable[dict[str, Any]], questions: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the text of each question and of its answers."""
    for item in items:
        answers = item.get("answer", ())
        text = item.get("text") or questions.get(item["linkId"]) or item["linkId"]
        yield text, ", ".join(filter(None, map(_value_text, answers)))
        yield from _answer_lines(item.get("item", ()), questions)
        for answer in answers:
            yield from _answer_lines(answer.get("item", ()), questions)


def _value_text(answer: dict[str, Any]) -> str:
    """Return the text of an answer's value[x]: https://hl7.org/fhir/R4/questionnaireresponse.html"""
    value = next((value for name, value in answer.items() if name.startswith("value")), "")
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if not isinstance(value, dict):
        return str(value)
    if "value" in value:
        return " ".join(filter(None, (str(value["value"]), value.get("unit", ""))))
    return concept_text({"coding": [value]}) or str(value.get("title") or value.get("reference") or "")
