"""Administration of organizations, sites and rooms, devices and services."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic import service_types, time_text
from clinic.admin.base import ModelForm, ResourceAdmin, StackedInline
from clinic.admin.fields import AmountField, RemindersField
from clinic.admin.parameters import PARAMETERS, ParametersForm
from clinic.admin.people import OTHER_SYSTEMS
from clinic.country import clinic_zone
from clinic.models import Device, HealthcareService, Location, Organization, PlaceFeature, SchedulingParameters
from clinic.models.services import default_reminders
from clinic.service_type_fields import own_type_field, types_field


@admin.register(Organization)
class OrganizationAdmin(ResourceAdmin):
    section = "The clinic"
    place_in_section = 1
    list_display = ("name", "active", "last_updated")
    list_filter = ("active",)
    search_fields = ("name", "fhir_id")
    fieldsets = ((None, {"fields": ("active", "name")}), OTHER_SYSTEMS)


class KindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("site", gettext("Sites")), ("room", gettext("Rooms"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(part_of__isnull=self.value() == "site") if self.value() else queryset


class LocationForm(ModelForm):
    """The form of a location. A site needs a zone, which defaults to the clinic's; a room uses its site's zone."""

    features = forms.MultipleChoiceField(
        label=_("Features"),
        choices=PlaceFeature.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Patients can filter the times by them. A room has those of its site too."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk is None and (zone := clinic_zone()).key != "UTC":
            self.initial.setdefault("timezone", zone.key)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        is_room = self.cleaned_data.get("part_of") is not None
        if is_room and self.instance.pk is None and "timezone" not in self.changed_data:
            self.cleaned_data["timezone"] = ""
        if not is_room and "timezone" in self.cleaned_data and not self.cleaned_data["timezone"]:
            self.add_error("timezone", _("A site needs the time zone of its clocks, such as America/New_York."))
        for name, other in (("latitude", "longitude"), ("longitude", "latitude")):
            if self.cleaned_data.get(name) is None and self.cleaned_data.get(other) is not None:
                self.add_error(name, _("Give both the latitude and the longitude, or neither."))
        return cleaned


@admin.register(Location)
class LocationAdmin(ResourceAdmin):
    section = "The clinic"
    place_in_section = 2
    form = LocationForm
    list_display = ("name", "part_of", "city", "phone", "timezone", "status")
    list_filter = (KindFilter, "status", "city")
    related = ("part_of",)
    search_fields = ("name", "city", "fhir_id")
    autocomplete_fields = ("part_of", "organization")
    fieldsets = (
        (
            None,
            {
                "fields": ("status", "name", "part_of", "organization"),
                "description": _("A site is not part of another location; a room is part of its site."),
            },
        ),
        (_("Address"), {"fields": ("line", ("city", "state", "postal_code"), "country", "phone", "description")}),
        (
            _("Position"),
            {"fields": (("latitude", "longitude"),), "description": _("In degrees, such as 40.7465 and -73.9816.")},
        ),
        (_("Access"), {"fields": ("features",)}),
        (_("Time"), {"fields": ("timezone",), "description": _("Needed for a site. A room keeps its site's.")}),
        OTHER_SYSTEMS,
    )


@admin.register(Device)
class DeviceAdmin(ResourceAdmin):
    section = "The clinic"
    place_in_section = 5
    list_display = ("name", "location", "status", "last_updated")
    list_filter = ("status", "location")
    related = ("location",)
    search_fields = ("name", "fhir_id")
    autocomplete_fields = ("location",)
    fieldsets = ((None, {"fields": ("status", "name", "location", "timezone")}), OTHER_SYSTEMS)


class GeneralParametersInline(StackedInline):
    """The SchedulingParameters of a service for all its schedules."""

    model = SchedulingParameters
    form = ParametersForm
    max_num = 1
    extra = 1
    fieldsets = PARAMETERS
    verbose_name = verbose_name_plural = _("how it is given, unless a schedule says otherwise")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(schedule=None)


class ServiceForm(ModelForm):
    requires = forms.MultipleChoiceField(
        label=_("Requires"),
        choices=HealthcareService.ActorType.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("One visit takes the time of one of each kind ticked here. None ticked: of a practitioner."),
    )
    reminders = RemindersField(
        label=_("Reminders"),
        required=False,
        initial=default_reminders,
        help_text=_(
            "How long before its start a patient is reminded, such as 1 week, 1 day. Empty: the usual, 2 days "
            "and 2 hours; none: no reminders."
        ),
    )

    type = types_field()
    own_type = own_type_field()

    price = AmountField(label=_("Price"), help_text=_("What is paid, with any tax."))
    price_to = AmountField(label=_("Highest price"), help_text=_("Only for a price range."))

    deposit = AmountField(label=_("Deposit"), help_text=_("Counts towards the price."))
    missed_fee = AmountField(
        label=_("Fee for a missed visit"),
        help_text=_("Staff charge it to the card that was kept, after a no-show or a late cancellation."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("minimum_notice", "cancellation_notice", "check_in_before", "check_in_after"):
            self.fields[name].error_messages["invalid"] = _(
                "Write it as days hours:minutes:seconds, such as 1 00:00:00 for a day or 2:00:00 for two hours."
            )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        youngest, oldest = (self.cleaned_data.get(name) for name in ("minimum_age", "maximum_age"))
        if youngest is not None and oldest is not None and youngest > oldest:
            self.add_error("maximum_age", _("The maximum age is below the minimum age."))
        if self.cleaned_data.get("prepayment") and not settings.PAYMENT_PROVIDER:
            self.add_error("prepayment", _("Patients cannot pay online: no payment provider is set up."))
        return cleaned


@admin.register(HealthcareService)
class HealthcareServiceAdmin(ResourceAdmin):
    section = "What can be booked"
    place_in_section = 1
    form = ServiceForm
    list_display = ("name", "active", "bookable_by", "eligibility", "needs", "telehealth", "notice", "reminded")
    list_filter = ("active", "bookable_by", "eligibility", "telehealth", "requires_coverage", "locations")
    search_fields = ("name", "comment", "fhir_id")
    autocomplete_fields = ("organization", "locations", "questionnaires")
    inlines = (GeneralParametersInline,)
    fieldsets = (
        (None, {"fields": ("active", "name", "comment", "preparation", "telehealth")}),
        (
            _("Booking"),
            {
                "fields": (
                    ("bookable_by", "on_request", "eligibility"),
                    "requires",
                    "minimum_notice",
                    "cancellation_notice",
                    "booking_horizon_days",
                    "reminders",
                    "recall_months",
                    "named_in_email",
                ),
                "description": _("Notice is written [days] hours:minutes:seconds, such as 1 00:00:00 for a day."),
            },
        ),
        (
            _("How many can be booked"),
            {
                "fields": (
                    ("total_day_limit", "total_week_limit"),
                    "new_patient_limit",
                    ("patient_limit", "patient_week_limit"),
                ),
                "description": _("Days and weeks are the clinic's; a week begins on Monday."),
            },
        ),
        (_("Waiting list"), {"fields": ("has_waitlist", ("waitlist_order", "waitlist_minutes"))}),
        (_("Price"), {"fields": ("pricing", ("price", "price_to"))}),
        (
            _("Courses of visits"),
            {
                "fields": (("course_limit", "course_visits"), ("course_weeks", "course_days")),
                "description": _("Several visits that a patient books at once, such as six of physiotherapy."),
            },
        ),
        (
            _("On the day"),
            {
                "fields": (("check_in_before", "check_in_after"),),
                "description": _(
                    "Written hours:minutes:seconds, such as 1:00:00 for an hour. Visits by video have none."
                ),
            },
        ),
        (
            _("Payment before booking"),
            {
                "fields": (
                    "prepayment",
                    ("deposit", "missed_fee"),
                    ("refund_notice", "late_refund"),
                    "payment_terms",
                ),
            },
        ),
        (
            _("What it asks of the patient"),
            {
                "fields": (
                    ("minimum_age", "maximum_age"),
                    "questionnaires",
                    "requires_questionnaires",
                    ("requires_coverage", "requires_verified_coverage"),
                    "requires_care_team",
                )
            },
        ),
        (
            _("Where, and what it is"),
            {"fields": ("organization", "locations", "type", "own_type", "specialty", "appointment_type")},
        ),
        OTHER_SYSTEMS,
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if own_type := form.cleaned_data["own_type"]:
            obj.type = service_types.with_type(obj.type, own_type)
        super().save_model(request, obj, form, change)

    @admin.display(description=_("requires"))
    def needs(self, service: HealthcareService) -> str:
        names = dict(HealthcareService.ActorType.choices)
        return ", ".join(str(names[kind]) for kind in service.requires)

    @admin.display(description=_("minimum notice"), ordering="minimum_notice")
    def notice(self, service: HealthcareService) -> str:
        return time_text.length(service.minimum_notice)

    @admin.display(description=_("reminders"))
    def reminded(self, service: HealthcareService) -> str:
        return ", ".join(map(time_text.length, service.reminders))
