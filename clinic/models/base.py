"""The base model of all FHIR resources: https://hl7.org/fhir/R4/resource.html"""

import uuid
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

from clinic.exact_json import ExactJSONField
from clinic.zones import validate_zone

validate_fhir_id = RegexValidator(
    r"\A[A-Za-z0-9\-.]{1,64}\Z", "An id is 1 to 64 letters, digits, hyphens and full stops."
)


def new_fhir_id() -> str:
    return str(uuid.uuid4())


def zone_field(help_text: str = "") -> "models.CharField[str, str]":
    """Return a column for the name of an IANA time zone; empty if none is set."""
    return models.CharField(max_length=64, blank=True, default="", validators=[validate_zone], help_text=help_text)


class Resource(models.Model):
    """A row that is a FHIR resource.

    Columns hold the elements that the product searches, constrains or shows; `extra` holds every other valid element
    that a client sent. A resource with `deleted_at` is deleted: reads answer 410, and searches and bookings ignore it.
    """

    fhir_id = models.CharField("id", max_length=64, unique=True, default=new_fhir_id, validators=[validate_fhir_id])
    version = models.PositiveIntegerField(default=1, editable=False)
    last_updated = models.DateTimeField(editable=False, db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    extra = ExactJSONField(default=dict, blank=True, editable=False)

    RESOURCE_TYPE: ClassVar[str]

    class Meta:
        abstract = True

    @property
    def reference(self) -> str:
        return f"{self.RESOURCE_TYPE}/{self.fhir_id}"
