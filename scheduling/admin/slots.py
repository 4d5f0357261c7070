"""Time that is blocked, and one-off time that is free."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.country import clinic_zone
from clinic.fhir.schedules import ZONE_OF_HOURS
from clinic.models import Slot
from clinic.models.schedule import ACTORS
from scheduling import booking
from scheduling.admin.base import RefusableForm, UseCaseAdmin, WallClockField, at, span_text, wall_clock
from scheduling.errors import TimeTaken
from scheduling.visit_zone import zone_of_schedule

STATUSES = (
    (Slot.Status.BUSY_UNAVAILABLE.value, _("Blocked: nobody can book it")),
    (Slot.Status.BUSY.value, _("Busy with something else")),
    (Slot.Status.FREE.value, _("Free: can be booked beyond the usual hours")),
)

TIMES = ("start", "end")
# What the name of a Slot's schedule and its zone are made of.
SCHEDULE = (
    "schedule__site",
    "schedule__practitioner_role__practitioner",
    *(f"schedule__bookable__{actor}" for actor in ACTORS),
)


class SlotForm(RefusableForm):
    """Form for a Slot, with times local to the schedule's site."""

    start = WallClockField(label=_("Start"))
    end = WallClockField(label=_("End"))

    class Meta:
        model = Slot
        fields = ("schedule", "status", "start", "end", "comment")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "status" in self.fields:
            self.fields["status"].choices = self._statuses()  # type: ignore[attr-defined]
        if self.instance.pk is not None:
            zone = zone_of_schedule(self.instance.schedule)
            self.initial.update({name: wall_clock(getattr(self.instance, name), zone) for name in TIMES})

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        schedule = self.cleaned_data.get("schedule")
        zone = zone_of_schedule(schedule) if schedule else clinic_zone()
        times: dict[str, datetime] = {
            name: at(self.cleaned_data[name], zone) for name in TIMES if name in self.cleaned_data
        }
        self.cleaned_data.update(times)
        if len(times) == len(TIMES) and times["start"] >= times["end"]:
            self.add_error("end", _("It ends before it starts."))
        return cleaned

    def _statuses(self) -> list[tuple[str, str]]:
        """The statuses to choose from, and the current one."""
        current = self.instance.status
        others = [(current, self.instance.get_status_display())] if current and current not in dict(STATUSES) else []
        return [*STATUSES, *others]


@admin.register(Slot)
class SlotAdmin(UseCaseAdmin):
    section = "Visits"
    place_in_section = 2
    form = SlotForm
    list_display = ("when", "schedule", "status", "comment", "visit")
    list_display_links = ("when",)
    list_filter = ("status", ("schedule__site", admin.RelatedOnlyFieldListFilter))
    related = ("appointment__service", "appointment__site", *SCHEDULE)
    search_fields = (
        "comment",
        "fhir_id",
        "appointment__fhir_id",
        "schedule__bookable__practitioner__family",
        "schedule__bookable__location__name",
        "schedule__bookable__device__name",
    )
    date_hierarchy = "start"
    autocomplete_fields = ("schedule",)
    readonly_fields = (*UseCaseAdmin.readonly_fields, "when", "visit")
    fieldsets = (
        (
            None,
            {
                "fields": ("schedule", "status", "start", "end", "comment"),
                "description": _("Blocks time, or opens some beyond the usual hours. The times are those of the site."),
            },
        ),
    )
    of_an_appointment = (
        (
            None,
            {
                "fields": ("schedule", "status", "when", "comment", "visit"),
                "description": _("This time belongs to a visit: move or cancel that."),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related(*(f"schedule__{rows}" for rows in ZONE_OF_HOURS))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        belongs = isinstance(obj, Slot) and obj.appointment_id is not None
        return self.of_an_appointment if belongs else super().get_fieldsets(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.appointment_id is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.appointment_id is None)

    def save_model(self, request: HttpRequest, obj: Slot, form: Any, change: bool) -> None:  # type: ignore[override]
        now = timezone.now()
        with booking.all_or_nothing():
            if change:
                booking.rewrite_slot(obj, now=now)
            else:
                obj.last_updated = now
                if booking.write_slots([obj]):
                    raise TimeTaken(gettext("That time, or part of it, is taken already."))

    def delete_model(self, request: HttpRequest, obj: Slot) -> None:  # type: ignore[override]
        with booking.all_or_nothing():
            booking.remove_slot(obj, now=timezone.now())

    @admin.display(description=_("when"), ordering="start")
    def when(self, slot: Slot) -> str:
        return span_text(slot.start, slot.end, zone_of_schedule(slot.schedule))

    @admin.display(description=_("visit"))
    def visit(self, slot: Slot) -> SafeString | None:
        if slot.appointment is None:
            return None
        address = reverse("admin:clinic_appointment_change", args=[slot.appointment.pk])
        return format_html('<a href="{}">{}</a>', address, slot.appointment)
