"""Forms of the set-up: a form for each kind of row that makes up the clinic."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic import named_concepts, service_types
from clinic.concept_fields import ConceptsField
from clinic.country import clinic_zone
from clinic.models import Device, HealthcareService, Location, Practitioner, Resource
from clinic.models.schedule import DAY_MINUTES
from clinic.phone_field import PhoneField
from clinic.service_type_fields import own_type_field, types_field
from portal.common.fields import NumberField
from portal.finding.zones import zones_by_region
from portal.staff.hours.forms import VersionForm
from portal.staff.setup.week_forms import WeekForm
from scheduling import opening, setup
from scheduling.opening import Version
from scheduling.setup import starts_every

SITES = Location.objects.filter(part_of=None, deleted_at=None)
ROOM, DEVICE = "room", "device"


class RowForm(VersionForm):
    """Form for a row, new or as it was read; its fields are columns, or are read and written by name."""

    COLUMNS: tuple[str, ...] = ()
    LATER: tuple[str, ...] = ()  # fields that a new row does not need

    def __init__(self, data: Mapping[str, Any] | None = None, *, row: Resource) -> None:
        columns = {name: getattr(row, name) for name in self.COLUMNS}
        super().__init__(data, initial={"version": row.version, **columns, **self.further(row)})
        self.row = row
        if row.pk is None:
            for name in self.LATER:
                del self.fields[name]

    def further(self, row: Any) -> dict[str, Any]:
        """Return the initial values of fields that are no columns, and of columns of a new row."""
        return {}

    @property
    def values(self) -> dict[str, Any]:
        """The columns as entered."""
        return {name: self.cleaned_data[name] for name in self.COLUMNS if name in self.cleaned_data}

    @property
    def known_version(self) -> int:
        """The version of the row that the form was filled from."""
        return int(self.cleaned_data["version"])


def name_field(label: Any, required: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=200, error_messages={"required": required})


def zone_choices(now: datetime) -> list[Any]:
    """Return the zones to choose from, those of the clinic's country first."""
    zone = clinic_zone()
    near = [] if zone.key == "UTC" else [zone]
    regions = zones_by_region(near, now)
    return [
        ("", _("Choose a time zone")),
        *((region, [(z.key, label) for z, label in zones]) for region, zones in regions),
    ]


class SiteForm(RowForm):
    """Form for a site: its name, address, phone and clocks."""

    COLUMNS = ("name", "line", "city", "state", "postal_code", "phone", "timezone", "description", "status")
    LATER = ("description", "status")

    name = name_field(_("Name of the site"), _("Enter the name of the site."))
    line = forms.CharField(label=_("Street and number"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    state = forms.CharField(label=_("State or region"), max_length=100, required=False)
    phone = PhoneField(label=_("Phone"), required=False)
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("All times of the site are shown by these clocks."),
        error_messages={"required": _("Choose the time zone of the site.")},
    )
    description = forms.CharField(
        label=_("How to get there"),
        help_text=_("For patients: the entrance, buses and trains, and where to park."),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 3}),
    )
    status = forms.ChoiceField(label=_("Can be booked"), widget=forms.RadioSelect, choices=Location.Status.choices)

    def __init__(self, data: Mapping[str, Any] | None = None, *, row: Resource, now: datetime) -> None:
        super().__init__(data, row=row)
        field = self.fields["timezone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = zone_choices(now)

    def further(self, row: Any) -> dict[str, Any]:
        zone = clinic_zone().key
        return {"timezone": row.timezone or ("" if zone == "UTC" else zone)}


class PersonForm(RowForm):
    """Form for a practitioner, and the sites at which they see patients."""

    COLUMNS = ("prefix", "given", "family", "phone", "email", "communication", "about", "active")
    LATER = ("phone", "email", "communication", "specialties", "about", "active")

    prefix = forms.CharField(  # type: ignore[assignment]  # Form.prefix, which no form here has
        label=_("Title"), help_text=_("Such as Dr."), max_length=50, required=False
    )
    given = forms.CharField(label=_("Given names"), max_length=200, required=False)
    family = name_field(_("Family name"), _("Enter the family name."))
    sites = forms.ModelMultipleChoiceField(
        label=_("Sees patients at"),
        queryset=SITES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("At each site they get a calendar, for all visits. You can change its visits and hours later."),
    )
    phone = PhoneField(label=_("Phone"), required=False)
    email = forms.EmailField(label=_("Email"), required=False)
    communication = ConceptsField(
        label=_("Languages they speak"),
        help_text=_("Type part of the name and choose from the list."),
        known=named_concepts.known_languages,
        name_of=named_concepts.language_name,
        is_open=True,
    )
    specialties = ConceptsField(
        label=_("Specialties"),
        help_text=_("Type part of the name and choose from the list."),
        known=named_concepts.known_specialties,
        name_of=named_concepts.specialty_name,
        is_open=True,
    )
    about = forms.CharField(
        label=_("A few words about them"),
        help_text=_("For patients, on their page and beside the times."),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 3}),
    )
    active = forms.BooleanField(label=_("Works here"), required=False)

    def further(self, row: Any) -> dict[str, Any]:
        if row.pk is not None:
            sites = list(SITES.filter(**_with_calendar_of(row)).distinct())
            return {"sites": sites, "specialties": setup.specialties_of(row)}
        sites = list(SITES.all()[:2])
        return {"sites": sites if len(sites) == 1 else []}


class PlaceForm(RowForm):
    """Form for a room or a device at a site."""

    COLUMNS = ("name",)
    LATER = ("is_active",)

    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=((ROOM, _("A room")), (DEVICE, _("A device"))),
        widget=forms.RadioSelect,
        initial=ROOM,
    )
    name = name_field(_("Name of the room or device"), _("Enter a name, such as Room 1."))
    site = forms.ModelChoiceField(
        label=_("Site"), queryset=SITES, empty_label=None, error_messages={"required": _("Choose the site.")}
    )
    is_active = forms.BooleanField(label=_("Can be booked"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, row: Resource) -> None:
        super().__init__(data, row=row)
        if row.pk is not None:
            del self.fields["kind"]

    def further(self, row: Any) -> dict[str, Any]:
        site = row.part_of if isinstance(row, Location) else row.location
        return {"site": site or SITES.first(), "is_active": row.status == "active"}

    @property
    def place(self) -> Location | Device:
        """The row to save."""
        is_new_device = self.row.pk is None and self.cleaned_data["kind"] == DEVICE
        place = Device() if is_new_device else self.row
        assert isinstance(place, (Location, Device))
        return place

    @property
    def values(self) -> dict[str, Any]:
        site = "part_of" if isinstance(self.place, Location) else "location"
        is_active = self.cleaned_data.get("is_active", True)
        kept = (
            self.row.status if isinstance(self.row, (Location, Device)) and self.row.status != "active" else "inactive"
        )
        return {**super().values, site: self.cleaned_data["site"], "status": "active" if is_active else kept}


class ServiceForm(RowForm):
    """Form for a visit that can be booked: its length, what it takes, and who books it."""

    COLUMNS = ("name", "comment", "type", "telehealth", "requires", "bookable_by", "active")
    PARAMETERS = ("duration", "alignment_interval")
    LATER = ("active",)

    name = name_field(_("Name of the visit"), _("Enter the name of the visit, such as Consultation."))
    comment = forms.CharField(
        label=_("About the visit"),
        help_text=_("What a patient reads before choosing it."),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 2}),
    )
    type = types_field()
    own_type = own_type_field()
    duration = NumberField(label=_("Length in minutes"), min_value=1, max_value=DAY_MINUTES)
    alignment_interval = NumberField(
        label=_("A visit can start every"),
        help_text=_("In minutes. Leave empty to lose no time."),
        min_value=1,
        max_value=DAY_MINUTES,
        required=False,
    )
    requires = forms.MultipleChoiceField(
        label=_("What one visit takes"),
        choices=HealthcareService.ActorType.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what a visit takes, such as a practitioner.")},
    )
    telehealth = forms.BooleanField(label=_("By video"), required=False)
    bookable_by = forms.ChoiceField(
        label=_("Who can book it"), choices=HealthcareService.BookableBy.choices, widget=forms.RadioSelect
    )
    active = forms.BooleanField(label=_("Is offered"), required=False)

    def further(self, row: Any) -> dict[str, Any]:
        if row.pk is None:
            return {"requires": [HealthcareService.ActorType.PRACTITIONER]}
        own = row.scheduling_parameters.filter(schedule=None).first()
        return {name: getattr(own, name, None) for name in self.PARAMETERS} | {
            "requires": row.requires or [HealthcareService.ActorType.PRACTITIONER]
        }

    @property
    def parameters(self) -> dict[str, Any]:
        """The columns of its scheduling parameters as entered."""
        duration, interval = (self.cleaned_data[name] for name in self.PARAMETERS)
        return {"duration": duration, "alignment_interval": interval or starts_every(duration)}


class NewServiceForm(ServiceForm, WeekForm):
    """Form for a new visit, and the week in which it is given."""

    @property
    def parameters(self) -> dict[str, Any]:
        return {**super().parameters, "availability": opening.write([Version(None, self.week)])}


class TypeForm(forms.Form):
    """Form for the name of a service type of the clinic's own."""

    name = name_field(_("Name of the service type"), _("Enter a name, such as Home visit."))


class TypedServices(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Field for services, which are listed with their types."""

    def label_from_instance(self, obj: HealthcareService) -> str:
        types = ", ".join(service_types.names_of(obj.type))
        return f"{obj} ({types})" if types else str(obj)


class CalendarForm(RowForm):
    """Form for a calendar: the visits that it offers."""

    COLUMNS = ("active", "offers_all_services", "meeting_url")

    offers_all_services = forms.TypedChoiceField(
        label=_("Visits"),
        choices=((True, _("All visits")), (False, _("Only those chosen below"))),
        coerce=lambda value: value == "True",
        widget=forms.RadioSelect,
    )
    services = TypedServices(
        label=_("Chosen visits"),
        queryset=HealthcareService.objects.filter(active=True, deleted_at=None),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    meeting_url = forms.URLField(
        label=_("Video room"),
        help_text=_("The link with which visits by video begin."),
        required=False,
        max_length=500,
        assume_scheme="https",
    )
    active = forms.BooleanField(label=_("Can be booked"), required=False)

    def further(self, row: Any) -> dict[str, Any]:
        return {"services": list(row.services.all())}


def _with_calendar_of(person: Practitioner) -> dict[str, Any]:
    return {"schedules__bookable__practitioner": person, "schedules__active": True, "schedules__deleted_at": None}
