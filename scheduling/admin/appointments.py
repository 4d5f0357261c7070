"""Appointments in the admin: booked, moved, cancelled and stepped through their statuses by use cases only."""

import json
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import RECORD_SECTION
from clinic.models import Appointment, Schedule, Slot, concept_text
from clinic.models.appointment import time_range_text
from scheduling import booking
from scheduling.access import Caller
from scheduling.admin.base import RefusableForm, UseCaseAdmin, WallClockField, at, caller_of, refusal_texts, span_text
from scheduling.admin.slots import SCHEDULE
from scheduling.availability import moved_visit_of, offerings_of
from scheduling.booking import BookingRequest
from scheduling.booking.transitions import TRANSITIONS
from scheduling.errors import RuleBroken, SchedulingError, VersionConflict
from scheduling.visit_zone import zone_of_schedule

STEPS = {
    "booked": _("Confirm the hold"),
    "arrived": _("The patient has arrived"),
    "checked-in": _("The patient is checked in"),
    "fulfilled": _("The visit is over"),
    "noshow": _("The patient did not come"),
    "cancelled": _("Cancel it: its time is free again"),
    "entered-in-error": _("It was entered by mistake: its time is free again"),
}
VISIT = (Slot.Status.BUSY, Slot.Status.BUSY_TENTATIVE)  # the statuses of an appointment's Slots that are not buffers


def _schedules(*, required: bool, help_text: Any) -> Any:
    return forms.ModelMultipleChoiceField(
        label=_("Schedules"),
        queryset=Schedule.objects.filter(deleted_at=None),
        widget=AutocompleteSelectMultiple(Slot._meta.get_field("schedule"), admin.site),
        required=required,
        help_text=help_text,
    )


class BookingForm(RefusableForm):
    """Form for a new visit."""

    schedules = _schedules(required=True, help_text=_("One of each kind that the service requires."))
    starts = WallClockField(label=_("Start"), help_text=_("On the clock of the site."))

    class Meta:
        model = Appointment
        fields = ("service", "patient", "comment")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("service", "patient"):
            self.fields[name].required = True


class ChangeForm(RefusableForm):
    """Form for one change: a move, a new status, or another comment. Refused if the appointment has changed
    meanwhile.
    """

    starts = WallClockField(label=_("New start"), required=False, help_text=_("On the clock of the site."))
    schedules = _schedules(required=False, help_text=_("Empty: those that it has."))
    step = forms.ChoiceField(label=_("Step"), required=False)
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=200, help_text=_("Why it is cancelled, or was missed.")
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Appointment
        fields = ("comment",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["seen_version"] = self.instance.version
        if "step" in self.fields:
            possible = TRANSITIONS[self.instance.status]
            steps = [(step, words) for step, words in STEPS.items() if step in possible]
            self.fields["step"].choices = [("", _("Leave it as it is")), *steps]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("seen_version") != self.instance.version:
            raise ValidationError(VersionConflict.message)
        changes = (self.moves, bool(self.cleaned_data.get("step")), "comment" in self.changed_data)
        if sum(changes) > 1:
            raise ValidationError(_("Make one change at a time: move it, change its status, or change the comment."))
        if self.cleaned_data.get("reason") and not self.cleaned_data.get("step"):
            self.add_error("reason", _("A reason is only for a new status."))
        return cleaned

    @property
    def moves(self) -> bool:
        return bool(self.cleaned_data.get("starts") or self.cleaned_data.get("schedules"))


@admin.register(Appointment)
class AppointmentAdmin(UseCaseAdmin):
    section = "Visits"
    place_in_section = 1
    list_display = ("when", "patient", "service", "status", "site", "comment")
    list_display_links = ("when",)
    list_filter = ("status", "service", ("site", admin.RelatedOnlyFieldListFilter))
    related = ("service", "patient", "site")
    search_fields = ("patient__family", "patient__given", "patient__email", "comment", "fhir_id")
    date_hierarchy = "start"
    autocomplete_fields = ("service", "patient")
    actions = ("confirm_hold", "mark_arrived", "mark_no_show", "cancel_visits")
    facts = ("when", "status", "service", "patient", "site", "time_taken", "hold_expires_at", "why_cancelled")
    readonly_fields = (*UseCaseAdmin.readonly_fields, *facts, "created", "participants")
    new = (
        (
            None,
            {
                "fields": ("service", "patient", "schedules", "starts", "comment"),
                "description": _("Books a time that the service offers. If it cannot be booked, the page says why."),
            },
        ),
    )
    existing = (
        (None, {"fields": facts}),
        (
            _("Change its status"),
            {"fields": ("step", "reason", "seen_version"), "description": _("One change at a time.")},
        ),
        (_("Move it"), {"fields": ("starts", "schedules")}),
        (_("Comment"), {"fields": ("comment",)}),
        (_("Participants"), {"fields": ("participants", "created"), "classes": ("collapse",)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.new if obj is None else (*self.existing, RECORD_SECTION)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.readonly_fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        return super().get_form(request, obj, change, form=ChangeForm if change else BookingForm, **options)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Always False: appointments are cancelled or entered in error, never deleted."""
        return False

    def save_model(self, request: HttpRequest, obj: Appointment, form: Any, change: bool) -> None:  # type: ignore[override]
        caller, now = caller_of(request), timezone.now()
        if change:
            _change(obj, form, caller, now)
        else:
            vars(obj).update(vars(_book(form.cleaned_data, caller, now)))
        for warning in obj.warnings:
            self.message_user(request, warning, messages.WARNING)

    @admin.action(description=_("Confirm the hold"), permissions=["change"])
    def confirm_hold(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        self._step(request, queryset, "booked")

    @admin.action(description=_("Mark as arrived"), permissions=["change"])
    def mark_arrived(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        self._step(request, queryset, "arrived")

    @admin.action(description=_("Mark as no-show"), permissions=["change"])
    def mark_no_show(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        self._step(request, queryset, "noshow")

    @admin.action(description=_("Cancel"), permissions=["change"])
    def cancel_visits(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        self._step(request, queryset, "cancelled")

    def _step(self, request: HttpRequest, queryset: QuerySet[Appointment], step: str) -> None:
        """Change the status of each appointment separately, so that a refusal does not stop the others."""
        caller, now, done = caller_of(request), timezone.now(), 0
        status = str(Appointment.Status(step).label).lower()
        for appointment in queryset:
            try:
                changed = _change_status(appointment.fhir_id, step, booking.StatusRequest(), caller=caller, now=now)
            except SchedulingError as refusal:
                self.message_user(request, f"{appointment}: {' '.join(refusal_texts(refusal))}", messages.ERROR)
            else:
                for warning in changed.warnings:
                    self.message_user(request, f"{appointment}: {warning}", messages.WARNING)
                self.log_change(request, appointment, gettext("Status: %(status)s.") % {"status": status})
                done += 1
        if done:
            text = ngettext("%(count)d visit is now: %(status)s.", "%(count)d visits are now: %(status)s.", done)
            self.message_user(request, text % {"count": done, "status": status}, messages.SUCCESS)

    @admin.display(description=_("when"), ordering="start")
    def when(self, appointment: Appointment) -> str:
        if appointment.start is None or appointment.end is None:
            return gettext("not yet known")
        return time_range_text(appointment.start, appointment.end, appointment.site)

    @admin.display(description=_("time that it takes"))
    def time_taken(self, appointment: Appointment) -> SafeString:
        slots = appointment.slots.filter(deleted_at=None).select_related(*SCHEDULE)
        return format_html_join(
            "",
            '<div><a href="{}">{}: {}</a> {}</div>',
            (
                (
                    reverse("admin:clinic_slot_change", args=[slot.pk]),
                    slot.schedule,
                    span_text(slot.start, slot.end, zone_of_schedule(slot.schedule)),
                    slot.comment,
                )
                for slot in slots
            ),
        )

    @admin.display(description=_("reason"))
    def why_cancelled(self, appointment: Appointment) -> str:
        return concept_text(appointment.cancelation_reason or {})

    @admin.display(description=_("participants"))
    def participants(self, appointment: Appointment) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(appointment.participant, indent=2, ensure_ascii=False))


def _book(cleaned: dict[str, Any], caller: Caller, now: datetime) -> Appointment:
    offerings = tuple(offerings_of(cleaned["service"], [schedule.fhir_id for schedule in cleaned["schedules"]]))
    request = BookingRequest(
        service=cleaned["service"],
        patient=cleaned["patient"],
        offerings=offerings,
        start=at(cleaned["starts"], offerings[0].zone),
        comment=cleaned["comment"],
    )
    return booking.book(request, caller=caller, now=now)


def _change(appointment: Appointment, form: ChangeForm, caller: Caller, now: datetime) -> None:
    """Make the one change of the form. The warnings about it are those of `appointment` afterwards."""
    cleaned = form.cleaned_data
    version = cleaned["seen_version"]
    if form.moves:
        appointment.warnings = _move(appointment, cleaned, caller, now).warnings
    elif cleaned["step"]:
        reason = {"text": cleaned["reason"]} if cleaned["reason"] else None
        request = booking.StatusRequest(reason=reason, version=version)
        changed = _change_status(appointment.fhir_id, cleaned["step"], request, caller=caller, now=now)
        appointment.warnings = changed.warnings
    elif "comment" in form.changed_data:
        with booking.all_or_nothing():
            booking.amend(appointment.fhir_id, {"comment": cleaned["comment"]}, caller=caller, now=now, version=version)


def _move(appointment: Appointment, cleaned: dict[str, Any], caller: Caller, now: datetime) -> Appointment:
    """Move the visit to the new start, the new schedules, or both; empty fields stay as they are."""
    if appointment.service is None or appointment.start is None:
        raise RuleBroken(gettext("Only a visit of a known service and time can be moved."))
    own = appointment.slots.filter(deleted_at=None, status__in=VISIT).order_by("pk")
    schedules = [each.fhir_id for each in cleaned["schedules"]] or list(own.values_list("schedule__fhir_id", flat=True))
    named = offerings_of(appointment.service, schedules)
    offerings = moved_visit_of(appointment).offerings(named, with_extras=False)
    start = at(cleaned["starts"], offerings[0].zone) if cleaned["starts"] else appointment.start
    return booking.reschedule(
        appointment.fhir_id,
        booking.RescheduleRequest(offerings=offerings, start=start, version=cleaned["seen_version"]),
        caller=caller,
        now=now,
    )


def _change_status(
    appointment_id: str,
    step: str,
    request: booking.StatusRequest,
    *,
    caller: Caller,
    now: datetime,
) -> Appointment:
    match step:
        case Appointment.Status.BOOKED:
            confirmation = booking.ConfirmRequest(version=request.version)
            return booking.confirm(appointment_id, confirmation, caller=caller, now=now)
        case Appointment.Status.CANCELLED:
            return booking.cancel(appointment_id, request, caller=caller, now=now)
        case _:
            return booking.change_status(appointment_id, step, request, caller=caller, now=now)
