"""The models User, Patient, RelatedPerson, Practitioner and PractitionerRole."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext, gettext_lazy

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.models.base import Resource, zone_field
from clinic.models.search_column import SOURCES, search_column_value
from clinic.models.search_text import person_names


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """An account, which signs in by email address. Its rights follow from the rows that it is linked to.

    The user of a Patient is that patient, the user of a Practitioner that practitioner. `desk_locations` are the sites
    where the user works at the front desk; `is_superuser` marks an administrator; `refers_for` is the practice of a
    referrer. See scheduling.access.
    """

    username = None  # type: ignore[assignment]
    email = models.EmailField("email address", unique=True)
    desk_locations = models.ManyToManyField(
        "clinic.Location",
        blank=True,
        related_name="desk_users",
        verbose_name="front desk of",
        help_text="Sites whose calendars this person runs.",
    )
    refers_for = models.CharField(
        "refers patients for",
        max_length=200,
        blank=True,
        db_default="",
        help_text="The practice of a referrer, who is outside the clinic and sees nothing but their own referrals.",
    )
    is_demo = models.BooleanField(default=False, editable=False)
    told_on_pages = models.BooleanField(default=False, db_default=False, editable=False)
    ended_sessions = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    # From when the account must have a second step that it lacks. It is read with the account of a session, and with
    # the token of an app: clinic.second_factor.
    second_factor_due: datetime | None = None
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.email

    @property
    def display_name(self) -> str:
        """The person's name, else their email address."""
        return self.get_full_name() or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """The value that a session must have. It changes when `ended_sessions` does, so all earlier sessions end."""
        plain: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        return f"{plain}{self.ended_sessions}" if self.ended_sessions else plain


class Gender(Choices):
    """https://hl7.org/fhir/R4/valueset-administrative-gender.html"""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class AccessNeed(Choices):
    """A patient's need that a clinic can meet when it knows of it."""

    STEP_FREE = "step-free", "Step-free access"
    HEARING = "hearing", "Help with hearing"
    SIGHT = "sight", "Help with seeing"
    QUIET = "quiet", "A quiet place to wait"


_Person = TypeVar("_Person", bound=models.Model, covariant=True)


class PersonQuerySet(models.QuerySet[_Person]):
    """A query set that fills the search column of each person when rows are written."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        rows = list(objs)
        for row in rows:
            row.search = search_column_value(row)
        return super().bulk_create(rows, *args, **kwargs)

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], *args: Any, **kwargs: Any) -> int:
        rows, names = list(objs), set(fields)
        if names & SOURCES:
            names.add("search")
            for row in rows:
                row.search = search_column_value(row)
        return super().bulk_update(rows, sorted(names), *args, **kwargs)


class Person(Resource):
    """The base model of a person. The current HumanName of the resource is in columns."""

    active = models.BooleanField(default=True)
    family = models.CharField("family name", max_length=200, blank=True)
    given = models.CharField("given names", max_length=200, blank=True, help_text="Separated by spaces.")
    prefix = models.CharField(max_length=50, blank=True, help_text="Such as Dr.")
    gender = models.CharField(max_length=10, choices=Gender, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    email = models.EmailField(blank=True)
    identifier = ExactJSONField(default=list, blank=True, help_text="FHIR Identifiers: system and value.")
    search = SearchVectorField(default="", editable=False)

    objects = PersonQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        names = None if update_fields is None else {*update_fields}
        if names is None or names & SOURCES:
            self.search = search_column_value(self)
            names = names and {*names, "search"}
        super().save(*args, update_fields=names, **kwargs)

    @property
    def born(self) -> str:
        """FHIR's birthDate, which may be only a month or a year; empty if it is unknown."""
        return self.birth_date.isoformat() if self.birth_date else str(self.extra.get("birthDate") or "")

    def write_born(self, born: str) -> None:
        """Set FHIR's birthDate, which may be only a month or a year. The row is not saved."""
        columns = birth_columns(born)
        self.birth_date = columns["birth_date"]
        self.extra = {name: value for name, value in self.extra.items() if name != "birthDate"} | columns["extra"]

    def __str__(self) -> str:
        return " ".join(part for part in (self.prefix, self.given, self.family) if part) or self.fhir_id


def birth_columns(born: str) -> dict[str, Any]:
    """Return the columns of a new record for FHIR's birthDate; a month or a year goes into `extra`."""
    if not born or len(born) == len("1985-03-27"):
        return {"birth_date": date.fromisoformat(born) if born else None, "extra": {}}
    return {"birth_date": None, "extra": {"birthDate": born}}


class Practitioner(Person):
    """A person who gives care: https://hl7.org/fhir/R4/practitioner.html"""

    RESOURCE_TYPE = "Practitioner"
    PATIENT = None
    DESCRIBES_CLINIC = True
    TRANSLATED = ("about",)

    timezone = zone_field("Used where neither the schedule nor the service names a zone.")
    communication = ExactJSONField("languages", default=list, blank=True, help_text="FHIR CodeableConcepts.")
    about = models.TextField(
        "a few words about them",
        blank=True,
        default="",
        db_default="",
        help_text="For patients, on their page and beside the times.",
    )
    photo_digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    user = models.OneToOneField("clinic.User", models.SET_NULL, null=True, blank=True)

    class Meta:
        ordering = ["family", "given", "pk"]
        indexes = [GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="practitioner_identifier")]

    @property
    def photo_path(self) -> str:
        """The address of the photo on this site, which names its content; empty if there is none."""
        return f"/photos/{self.photo_digest}.jpg" if self.photo_digest else ""

    @property
    def qualifications(self) -> list[str]:
        """The names of the qualifications."""
        return [text for each in self.extra.get("qualification", ()) if (text := concept_text(each.get("code") or {}))]


class PractitionerPhoto(models.Model):
    """The photo of a practitioner, as pages show it: small, and without what the camera wrote into it."""

    practitioner = models.OneToOneField("clinic.Practitioner", models.CASCADE, related_name="photo")
    digest = models.CharField(max_length=64, db_index=True)
    image = models.BinaryField()

    def __str__(self) -> str:
        return str(self.practitioner)


class PractitionerRole(Resource):
    """A practitioner's work at locations, for services: https://hl7.org/fhir/R4/practitionerrole.html"""

    RESOURCE_TYPE = "PractitionerRole"
    PATIENT = None
    DESCRIBES_CLINIC = True

    active = models.BooleanField(default=True)
    practitioner = models.ForeignKey("clinic.Practitioner", models.PROTECT, related_name="roles")
    organization = models.ForeignKey("clinic.Organization", models.PROTECT, null=True, blank=True, related_name="roles")
    locations = models.ManyToManyField("clinic.Location", blank=True, related_name="roles")
    services = models.ManyToManyField("clinic.HealthcareService", blank=True, related_name="roles")
    specialty = ExactJSONField(default=list, blank=True, help_text="FHIR CodeableConcepts.")
    timezone = zone_field("Where this role is kept in another zone than the practitioner's.")
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["practitioner__family", "pk"]
        indexes = [
            GinIndex(fields=["specialty"], opclasses=["jsonb_path_ops"], name="role_specialty"),
            GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="role_identifier"),
        ]

    def __str__(self) -> str:
        return f"{self.practitioner} ({', '.join(map(concept_text, self.specialty)) or gettext('role')})"


class Patient(Person):
    """A person who receives care: https://hl7.org/fhir/R4/patient.html"""

    RESOURCE_TYPE = "Patient"
    PATIENT = "pk"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("name, date of birth, address, phone and email")
    # https://hl7.org/fhir/R4/patient-definitions.html#Patient.deceased_x_ and #Patient.link, as SQL.
    HAS_DIED: ClassVar[str] = "(extra ? 'deceasedDateTime' OR extra @> '{\"deceasedBoolean\": true}')"
    WAS_MERGED: ClassVar[str] = '(extra @> \'{"link": [{"type": "replaced-by"}]}\')'

    language = models.CharField(
        max_length=10, blank=True, help_text="The language to write in, such as es; empty: the clinic's."
    )
    returning = models.BooleanField(
        "has been here before",
        default=False,
        db_default=False,
        help_text="Counts as a returning patient, even without a visit in this system.",
    )
    interpreter_required = models.BooleanField("needs an interpreter", default=False, db_default=False)
    interpreter_language = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="The interpreter's, such as es; sgn for a sign language.",
    )
    needs = ArrayField(models.CharField(max_length=20, choices=AccessNeed), default=list, db_default=[], blank=True)
    other_needs = models.CharField(
        max_length=500, blank=True, default="", db_default="", help_text="In the patient's own words."
    )
    needs_asked = models.DateTimeField(null=True, blank=True, editable=False)
    identity_verified = models.BooleanField(
        "name and birth date verified",
        default=False,
        db_default=False,
        help_text="Patients then ask for a change of them, and staff decide.",
    )
    details_confirmed = models.DateTimeField(null=True, blank=True, editable=False)
    barred_online = models.BooleanField(
        "barred from online booking",
        default=False,
        db_default=False,
        help_text="The patient is asked to call the clinic instead, and is not told why. Staff still book.",
    )
    barred_reason = models.CharField(
        "reason for it", max_length=500, blank=True, default="", db_default="", help_text="Only staff see it."
    )
    vip = models.BooleanField("treat as VIP", default=False, db_default=False, help_text="Only staff see it.")
    user = models.OneToOneField("clinic.User", models.SET_NULL, null=True, blank=True)

    class Meta:
        ordering = ["family", "given", "pk"]
        indexes = [
            GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="patient_identifier"),
            models.Index(fields=["family", "given"], name="patient_name"),
            models.Index(fields=["birth_date"], name="patient_birth_date"),
            GinIndex(person_names(), name="patient_names"),
            GinIndex(fields=["search"], name="patient_search"),
        ]

    def __str__(self) -> str:
        return gettext("Deleted patient") if self.is_erased else super().__str__()

    @property
    def is_erased(self) -> bool:
        """True if everything about the patient was deleted, not only the record: nothing is left in the row."""
        is_empty = not (self.active or self.given or self.family or self.birth_date or self.identifier or self.extra)
        return self.deleted_at is not None and is_empty

    @property
    def has_died(self) -> bool:
        return "deceasedDateTime" in self.extra or self.extra.get("deceasedBoolean") is True

    @property
    def merged_into(self) -> str:
        """The FHIR id of the record that replaced this one; empty if there is none."""
        links = (link for link in self.extra.get("link", ()) if link.get("type") == "replaced-by")
        return next((str(link.get("other", {}).get("reference", "?")).rpartition("/")[2] for link in links), "")

    @classmethod
    def closed(cls, prefix: str = "") -> "models.Q":
        """Return the condition for patients who cannot be booked for: they have died, are inactive, or were merged."""
        return (
            models.Q(**{f"{prefix}active": False})
            | models.Q(**{f"{prefix}extra__has_key": "deceasedDateTime"})
            | models.Q(**{f"{prefix}extra__contains": {"deceasedBoolean": True}})
            | models.Q(**{f"{prefix}extra__contains": {"link": [{"type": "replaced-by"}]}})
        )


class RelatedPerson(Person):
    """A person who cares for a patient, such as a parent: https://hl7.org/fhir/R4/relatedperson.html

    The `user` of one sees the patient's visits and books for them.
    """

    RESOURCE_TYPE = "RelatedPerson"
    PATIENT = "patient"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("people who arrange visits")

    class Access(Choices):
        """The part of a patient's record that the patient shares with a carer."""

        ALL = "all", "Everything"
        VISITS = "visits", "See and book visits"

    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="related_persons")
    relationship = ExactJSONField(default=list, blank=True, help_text="FHIR CodeableConcepts.")
    user = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True, related_name="related_persons")
    access = models.CharField(
        max_length=10,
        choices=Access,
        default=Access.ALL,
        db_default=Access.ALL.value,
        help_text="Everything: also answers, insurance and settings.",
    )
    keeps_access = models.BooleanField(
        default=False,
        db_default=False,
        help_text="A parent\u2019s access ends when the child becomes an adult, unless this is ticked.",
    )
    invited = models.DateTimeField(null=True, blank=True, editable=False)  # by the patient; active once they accept

    class Meta:
        ordering = ["patient", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "patient"],
                name="related_person_once",
                condition=models.Q(user__isnull=False, deleted_at__isnull=True),
            )
        ]


def concept_text(concept: dict[str, Any]) -> str:
    """Return the text of a FHIR CodeableConcept, else the display or the code of its first coding."""
    codings = concept.get("coding") or [{}]
    return str(concept.get("text") or codings[0].get("display") or codings[0].get("code") or "")
