"""Administration of coverage, care teams, referrals and encounters."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ModelForm, ResourceAdmin
from clinic.admin.links import visit_link
from clinic.admin.people import OTHER_SYSTEMS
from clinic.models import (
    Bookable,
    CareTeam,
    Coverage,
    Encounter,
    InsurancePlan,
    Practitioner,
    ServiceRequest,
    Task,
    concept_text,
)

BACKWARDS = _("It ends before it starts.")


class PeriodForm(ModelForm):
    """A form with a start and an end, which must not be before the start."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        if start and end and start > end:
            self.add_error("end", BACKWARDS)
        return cleaned


@admin.register(Coverage)
class CoverageAdmin(ResourceAdmin):
    section = "Patients"
    place_in_section = 3
    form = PeriodForm
    list_display = ("beneficiary", "payors", "subscriber_id", "status", "start", "end")
    list_filter = ("status", "verification", ("end", admin.EmptyFieldListFilter))
    related = ("beneficiary",)
    search_fields = ("subscriber_id", "beneficiary__family", "beneficiary__given", "fhir_id")
    date_hierarchy = "end"
    autocomplete_fields = ("beneficiary", "insurance_plan")
    readonly_fields = (*ResourceAdmin.readonly_fields, "kind")
    fieldsets = (
        (None, {"fields": ("status", "beneficiary", "insurance_plan", "payor", "subscriber_id", "kind")}),
        (_("The clinic's check"), {"fields": ("verification", "verification_reason")}),
        (_("When it pays"), {"fields": (("start", "end"),), "description": _("Both days included. Empty: always.")}),
        OTHER_SYSTEMS,
    )

    @admin.display(description=_("who pays"))
    def payors(self, coverage: Coverage) -> str:
        return ", ".join(payor.get("display") or payor.get("reference", "") for payor in coverage.payor)

    @admin.display(description=_("kind"))
    def kind(self, coverage: Coverage) -> str:
        return concept_text(coverage.type or {})


@admin.register(InsurancePlan)
class InsurancePlanAdmin(ResourceAdmin):
    section = "The clinic"
    place_in_section = 6
    list_display = ("name", "payer", "status", "last_updated")
    list_filter = ("status", "payer")
    related = ("payer",)
    search_fields = ("name", "payer__name", "fhir_id")
    autocomplete_fields = ("payer", "services", "locations")
    fieldsets = (
        (None, {"fields": ("status", "payer", "name")}),
        (
            _("What it is accepted for"),
            {"fields": ("services", "locations"), "description": _("Without any, it is accepted for all.")},
        ),
        OTHER_SYSTEMS,
    )


class CareTeamForm(ModelForm):
    """The form of a care team. It changes the practitioners; other members stay."""

    practitioners = forms.ModelMultipleChoiceField(
        label=_("Practitioners"),
        queryset=Practitioner.objects.filter(deleted_at=None),
        widget=AutocompleteSelectMultiple(Bookable._meta.get_field("practitioner"), admin.site),
        required=False,
        help_text=_("Who may see the patient where a visit is for their care team only."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        ids = [_member(participant).removeprefix("Practitioner/") for participant in self.instance.participant]
        self.initial["practitioners"] = Practitioner.objects.filter(fhir_id__in=ids, deleted_at=None)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        chosen = {row.reference: str(row) for row in self.cleaned_data.get("practitioners", ())}
        kept = [participant for participant in self.instance.participant if _stays(participant, chosen)]
        members = {_member(participant) for participant in kept}
        self.instance.participant = kept + [
            {"member": {"reference": reference, "display": name}}
            for reference, name in chosen.items()
            if reference not in members
        ]
        return cleaned


def _member(participant: dict[str, Any]) -> str:
    return str(participant.get("member", {}).get("reference", ""))


def _stays(participant: dict[str, Any], chosen: dict[str, str]) -> bool:
    member = _member(participant)
    return member in chosen or not member.startswith("Practitioner/")


@admin.register(CareTeam)
class CareTeamAdmin(ResourceAdmin):
    section = "Patients"
    place_in_section = 4
    form = CareTeamForm
    list_display = ("__str__", "patient", "members", "status", "last_updated")
    list_filter = ("status",)
    related = ("patient",)
    search_fields = ("name", "patient__family", "patient__given", "fhir_id")
    autocomplete_fields = ("patient",)
    readonly_fields = (*ResourceAdmin.readonly_fields, "members")
    fieldsets = (
        (None, {"fields": ("status", "name", "patient")}),
        (_("Who is on it"), {"fields": ("practitioners", "members")}),
        OTHER_SYSTEMS,
    )

    @admin.display(description=_("all members"))
    def members(self, team: CareTeam) -> str:
        return ", ".join(
            participant.get("member", {}).get("display") or _member(participant) for participant in team.participant
        )


@admin.register(ServiceRequest)
class ServiceRequestAdmin(ResourceAdmin):
    """The administration of referrals. Referrers and software make them; here they can be ended or made longer."""

    section = "Patients"
    place_in_section = 5
    list_display = ("__str__", "patient_name", "patient", "status", "authored", "valid_until")
    list_filter = ("status", ("service", admin.RelatedOnlyFieldListFilter))
    related = ("patient", "service")
    search_fields = ("patient_name", "patient__family", "patient__given", "fhir_id")
    date_hierarchy = "authored"
    facts = ("service", "referrer", "patient", "patient_name", "reason", "authored")
    readonly_fields = (*ResourceAdmin.readonly_fields, *facts)
    fieldsets = ((None, {"fields": ("status", "valid_until", *facts)}), OTHER_SYSTEMS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("referred by"))
    def referrer(self, referral: ServiceRequest) -> str:
        return referral.referrer


@admin.register(Task)
class TaskAdmin(ResourceAdmin):
    """The administration of recalls. Staff and rules of services make them; here their day can be changed."""

    section = "Patients"
    place_in_section = 6
    list_display = ("__str__", "due", "status", "messages", "next_message", "by_rule")
    list_filter = ("status", "by_rule", ("service", admin.RelatedOnlyFieldListFilter))
    related = ("patient", "service")
    search_fields = ("patient__family", "patient__given", "fhir_id")
    date_hierarchy = "due"
    facts = ("patient", "service", "practitioner", "visit", "by_rule", "authored", "messages", "next_message")
    readonly_fields = (*ResourceAdmin.readonly_fields, *facts)
    fieldsets = ((None, {"fields": ("status", "due", "note", *facts)}),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("visit"))
    def visit(self, recall: Task) -> SafeString | None:
        return visit_link(recall.appointment)


@admin.register(Encounter)
class EncounterAdmin(ResourceAdmin):
    """The administration of encounters. They begin on the staff's pages and can be corrected here."""

    section = "Visits"
    place_in_section = 3
    form = PeriodForm
    list_display = ("start", "patient", "service", "status", "encounter_class", "visit")
    list_display_links = ("start", "patient")
    list_filter = ("status", "encounter_class", ("service", admin.RelatedOnlyFieldListFilter))
    related = ("patient", "service", "appointment__service", "appointment__site")
    search_fields = ("patient__family", "patient__given", "appointment__fhir_id", "fhir_id")
    date_hierarchy = "start"
    facts = ("patient", "service", "encounter_class", "visit")
    readonly_fields = (*ResourceAdmin.readonly_fields, *facts)
    fieldsets = (
        (None, {"fields": ("status", *facts)}),
        (_("When"), {"fields": (("start", "end"),), "description": _("By the clinic's clock.")}),
        OTHER_SYSTEMS,
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("visit"), ordering="appointment__start")
    def visit(self, encounter: Encounter) -> SafeString | None:
        return visit_link(encounter.appointment)
