"""The models Organization, Location and Device."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.models.base import Resource, zone_field


class Organization(Resource):
    """An organization that gives care: https://hl7.org/fhir/R4/organization.html"""

    RESOURCE_TYPE = "Organization"
    PATIENT = None
    DESCRIBES_CLINIC = True
    TRANSLATED = ("name",)

    active = models.BooleanField(default=True)
    name = models.CharField(max_length=200)
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["name", "pk"]
        indexes = [GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="organization_identifier")]

    def __str__(self) -> str:
        return self.name


class PlaceFeature(Choices):
    """A feature of a site or a room that patients may need."""

    STEP_FREE = "step-free", "Step-free access"
    INDUCTION_LOOP = "induction-loop", "Induction loop"
    QUIET = "quiet", "Quiet"


class Location(Resource):
    """A site, or a room of one: https://hl7.org/fhir/R4/location.html"""

    RESOURCE_TYPE = "Location"
    PATIENT = None
    DESCRIBES_CLINIC = True
    TRANSLATED = ("name", "description")

    class Status(Choices):
        ACTIVE = "active"
        SUSPENDED = "suspended"
        INACTIVE = "inactive"

    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    name = models.CharField(max_length=200)
    part_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="rooms", verbose_name="part of"
    )
    organization = models.ForeignKey(
        "clinic.Organization", models.PROTECT, null=True, blank=True, related_name="locations"
    )
    line = models.CharField("street", max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    description = models.TextField(
        "how to get there",
        blank=True,
        default="",
        db_default="",
        help_text="For patients: the entrance, buses and trains, and where to park.",
    )
    latitude = models.FloatField(null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)])
    timezone = zone_field()
    features = ArrayField(
        models.CharField(max_length=20, choices=PlaceFeature),
        default=list,
        db_default=[],
        blank=True,
    )
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["name", "pk"]
        indexes = [GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="location_identifier")]
        constraints = [
            models.CheckConstraint(
                name="location_position_whole",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def site(self) -> "Location":
        """The site that this room is part of; a site itself."""
        return self.part_of or self


class Device(Resource):
    """A device whose time can be booked: https://hl7.org/fhir/R4/device.html"""

    RESOURCE_TYPE = "Device"
    PATIENT = None
    DESCRIBES_CLINIC = True
    TRANSLATED = ("name",)

    class Status(Choices):
        ACTIVE = "active"
        INACTIVE = "inactive"
        ENTERED_IN_ERROR = "entered-in-error"
        UNKNOWN = "unknown"

    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    name = models.CharField(max_length=200)
    location = models.ForeignKey("clinic.Location", models.PROTECT, null=True, blank=True, related_name="devices")
    timezone = zone_field()
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["name", "pk"]
        indexes = [GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="device_identifier")]

    def __str__(self) -> str:
        return self.name
