"""Administration of schedules, with their SchedulingParameters."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ModelForm, ResourceAdmin, StackedInline
from clinic.admin.care import BACKWARDS
from clinic.admin.parameters import PARAMETERS, ScheduleParametersForm
from clinic.admin.people import INTEGRATORS
from clinic.models import Bookable, Schedule, SchedulingParameters
from clinic.models.schedule import ACTORS, site_of


class OwnParametersInline(StackedInline):
    """The SchedulingParameters of a schedule, for services that differ from their defaults."""

    model = SchedulingParameters
    form = ScheduleParametersForm
    extra = 0
    autocomplete_fields = ("service",)
    fieldsets = ((None, {"fields": ("service",)}), *PARAMETERS)
    verbose_name = _("service that is given differently here")
    verbose_name_plural = _("services that are given differently here")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("service")


def _actor_field(name: str) -> "forms.ModelChoiceField[Any]":
    field: Any = Bookable._meta.get_field(name)
    return forms.ModelChoiceField(
        label=capfirst(field.verbose_name),
        queryset=field.related_model._default_manager.filter(deleted_at=None),
        widget=AutocompleteSelect(field, admin.site),
        required=False,
    )


class ScheduleForm(ModelForm):
    """The form of a schedule. The actor is chosen once, since booked time cannot become another actor's."""

    practitioner = _actor_field("practitioner")
    location = _actor_field("location")
    device = _actor_field("device")
    healthcare_service = _actor_field("healthcare_service")
    patient = _actor_field("patient")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        start, end = (self.cleaned_data.get(name) for name in ("planning_start", "planning_end"))
        if start and end and start >= end:
            self.add_error("planning_end", BACKWARDS)
        if self.instance.pk is None:
            self._choose_bookable()
        return cleaned

    def _choose_bookable(self) -> None:
        role = self.cleaned_data.get("practitioner_role")
        named = {name: self.cleaned_data[name] for name in ACTORS if self.cleaned_data.get(name)}
        if len(named) + bool(role) != 1:
            text = _("Choose whose time it is: one practitioner, role, room, device, service or patient.")
            self.add_error("practitioner", text)
            return
        actor = {"practitioner": role.practitioner} if role else named
        self.bookable_of = actor
        if not self.cleaned_data.get("site"):
            self.instance.site = self.cleaned_data["site"] = site_of(role or next(iter(named.values())))


@admin.register(Schedule)
class ScheduleAdmin(ResourceAdmin):
    section = "What can be booked"
    place_in_section = 2
    form = ScheduleForm
    list_display = ("__str__", "whose", "site", "active", "planning_start", "planning_end")
    list_filter = ("active", ("site", admin.RelatedOnlyFieldListFilter), "services")
    related = (
        "site",
        "practitioner_role__practitioner",
        *(f"bookable__{actor}" for actor in ACTORS),
    )
    search_fields = (
        "comment",
        "fhir_id",
        "bookable__practitioner__family",
        "bookable__practitioner__given",
        "bookable__location__name",
        "bookable__device__name",
    )
    autocomplete_fields = ("practitioner_role", "site", "services")
    readonly_fields = (*ResourceAdmin.readonly_fields, "whose")
    inlines = (OwnParametersInline,)
    actor_fields = ("practitioner", "practitioner_role", "location", "device", "healthcare_service", "patient")
    fieldsets = (
        (None, {"fields": ("active", "comment", "site")}),
        (_("What can be booked"), {"fields": ("services", "offers_all_services", "meeting_url")}),
        (
            _("Planning horizon"),
            {
                "fields": (("planning_start", "planning_end"),),
                "description": _("From when until when visits can be planned. Empty: always."),
            },
        ),
        (
            _("How many can be booked"),
            {
                "fields": (("total_day_limit", "total_week_limit", "extra_limit"),),
                "description": _("Days and weeks are those of the schedule's time zone; a week begins on Monday."),
            },
        ),
        (
            _("For other systems"),
            {"fields": ("specialty", "identifier"), "classes": ("collapse",), "description": INTEGRATORS},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        text = _("Exactly one. It cannot be changed later: the time that is taken is theirs.")
        actor = {"fields": ("whose",)} if obj else {"fields": self.actor_fields, "description": text}
        return [(_("Whose time it is"), actor), *super().get_fieldsets(request, obj)]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.bookable = Bookable.objects.get_or_create(**form.bookable_of)[0]
        super().save_model(request, obj, form, change)

    @admin.display(description=_("whose"))
    def whose(self, schedule: Schedule) -> str:
        actor = schedule.actor
        return f"{actor} ({cast(Any, actor)._meta.verbose_name})"
