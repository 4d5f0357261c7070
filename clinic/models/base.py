"""The base model of all FHIR resources: https://hl7.org/fhir/R4/resource.html"""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from clinic.exact_json import ExactJSONField
from clinic.zones import validate_zone

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

MOST_VISITS = 1000  # that a limit can name

# The facts that a type must declare: nothing is assumed about who may read it.
DECLARED = ("PATIENT", "DESCRIBES_CLINIC")

validate_fhir_id = RegexValidator(
    r"\A[A-Za-z0-9\-.]{1,64}\Z", "An id is 1 to 64 letters, digits, hyphens and full stops."
)


def new_fhir_id() -> str:
    return str(uuid.uuid4())


def zone_field(help_text: str = "") -> "models.CharField[str, str]":
    """Return a column for the name of an IANA time zone; empty if none is set."""
    return models.CharField(max_length=64, blank=True, default="", validators=[validate_zone], help_text=help_text)


def limit_field(label: str, help_text: str) -> "models.PositiveSmallIntegerField[int | None, int | None]":
    """Return a column for a number of visits that is not exceeded; None without a limit."""
    validators = [MinValueValidator(1), MaxValueValidator(MOST_VISITS)]
    return models.PositiveSmallIntegerField(label, null=True, blank=True, validators=validators, help_text=help_text)


class Resource(models.Model):
    """A row that is a FHIR resource.

    Columns hold the elements that the product searches, constrains or shows; `extra` holds every other valid element
    that a client sent. A resource with `deleted_at` is deleted: reads answer 410, and searches and bookings ignore it.

    Each type declares with its RESOURCE_TYPE whose patient its rows are and whether they describe the clinic; the
    compartments, scopes, visibility, audit and history read it there. A type that does not say so is refused when it
    is defined.
    """

    RESOURCE_TYPE: ClassVar[str]
    # The Django lookup of the patient whom a row is about, ending in `patient` or `beneficiary`; None for a type that
    # is about no patient.
    PATIENT: ClassVar[str | None]
    # True for what describes the clinic: everyone who is signed in may read it, except rows of a patient.
    DESCRIBES_CLINIC: ClassVar[bool]
    # False if the FHIR resource does not say whose it is, although its row knows.
    NAMES_PATIENT: ClassVar[bool] = True
    # The name by which people allow an app to see resources of the type; empty for the words of its kind.
    PLAIN_NAME: "ClassVar[str | StrPromise]" = ""
    # JSON columns with lists of references, and the element of each item that has the reference; empty for the item.
    REFERENCE_LISTS: ClassVar[tuple[tuple[str, str], ...]] = ()
    # Columns of text that patients read, which are translated into the other languages: see clinic.translations.
    TRANSLATED: ClassVar[tuple[str, ...]] = ()

    fhir_id = models.CharField("id", max_length=64, unique=True, default=new_fhir_id, validators=[validate_fhir_id])
    version = models.PositiveIntegerField(default=1, editable=False)
    last_updated = models.DateTimeField(editable=False, db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    extra = ExactJSONField(default=dict, blank=True, editable=False)

    class Meta:
        abstract = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        missing = [name for name in DECLARED if not hasattr(cls, name)]
        if hasattr(cls, "RESOURCE_TYPE") and missing:
            raise ImproperlyConfigured(f"{cls.RESOURCE_TYPE} does not declare {' and '.join(missing)}.")

    @property
    def reference(self) -> str:
        return f"{self.RESOURCE_TYPE}/{self.fhir_id}"
