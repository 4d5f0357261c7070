"""References stored as columns: foreign keys, and rows of a linking table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, Q, QuerySet

from api.search.kinds import any_of
from api.search.places import holds, is_there, quoted
from api.search.references import Reference
from api.search.values import plain
from clinic.models import Slot


@dataclass(frozen=True, kw_only=True)
class Link(Reference):
    """A foreign key to a resource."""

    column: str

    @property
    def sort(self) -> str:
        return f"{self.column}__fhir_id"

    def column_of(self, kind: str) -> str:
        return self.column

    def narrowed(self, kind: str) -> Q:
        """Return the further condition on the rows that refer to this type."""
        return Q()

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        return Q(**{f"{self.column_of(kind)}__fhir_id": fhir_id}) & self.narrowed(kind)

    def refers_to(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        return Q(**{f"{self.column_of(kind)}__in": rows.values("pk")}) & self.narrowed(kind)

    def referred_by(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        return Q(pk__in=rows.filter(self.narrowed(kind)).values(self.column_of(kind)))

    def present(self) -> Q:
        linked = any_of(Q(**{f"{self.column_of(kind)}__isnull": False}) for kind in self.types)
        return linked | is_there(self.place) if self.place else linked


@dataclass(frozen=True, kw_only=True)
class OneOf(Link):
    """Several foreign keys, one for each type that can be referred to."""

    columns: Mapping[str, str]
    column: str = ""

    @property
    def sort(self) -> str:
        return ""

    def column_of(self, kind: str) -> str:
        return self.columns[kind]


@dataclass(frozen=True, kw_only=True)
class ScheduleActor(OneOf):
    """The actor that a Schedule names: a role's Schedule does not count as its practitioner's."""

    columns: Mapping[str, str] = field(
        default_factory=lambda: {
            "Practitioner": "bookable__practitioner",
            "PractitionerRole": "practitioner_role",
            "Location": "bookable__location",
            "Device": "bookable__device",
            "HealthcareService": "bookable__healthcare_service",
            "Patient": "bookable__patient",
        }
    )

    def narrowed(self, kind: str) -> Q:
        return Q(practitioner_role=None) if kind == "Practitioner" else Q()


@dataclass(frozen=True, kw_only=True)
class ManyLinks(Reference):
    """A many-to-many field of `model`; rows with the flag `for_all` refer to everything."""

    model: type[Model]
    column: str
    for_all: str = ""

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        return self._linked(Q(**{f"{self.column}__fhir_id": fhir_id}))

    def refers_to(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        return self._linked(Q(**{f"{self.column}__in": rows.values("pk")}))

    def referred_by(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        return Q(pk__in=rows.values(self.column))

    def present(self) -> Q:
        return self._linked(Q(**{f"{self.column}__isnull": False}))

    def _linked(self, condition: Q) -> Q:
        linked = Q(pk__in=self.model._default_manager.filter(condition).values("pk"))
        return linked | Q(**{self.for_all: True}) if self.for_all else linked


@dataclass(frozen=True, kw_only=True)
class Canonical(Link):
    """A Questionnaire by its url, whatever the version, by `Questionnaire/id`, or by the URL on another server."""

    types: tuple[str, ...] = ("Questionnaire",)

    def condition(self, value: str, modifier: str, base: str) -> Q:
        canonical = plain(value)
        url = canonical.partition("|")[0]
        if ":" not in url.removeprefix(base):
            return super().condition(url, modifier, base)
        return Q(**{f"{self.column}__url": url}) | holds(self.place, f"@ == {quoted(canonical)}")

    def present(self) -> Q:
        return Q(**{f"{self.column}__isnull": False}) | is_there(self.place)


@dataclass(frozen=True, kw_only=True)
class TakenSlot(Reference):
    """The Slot of an Appointment."""

    types: tuple[str, ...] = ("Slot",)

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        return self._taken(Q(fhir_id=fhir_id))

    def refers_to(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        return self._taken(Q(pk__in=rows.values("pk")))

    def referred_by(self, kind: str, rows: "QuerySet[Any]", base: str) -> Q:
        return Q(appointment__in=rows.values("pk"))

    def present(self) -> Q:
        return self._taken(Q())

    def _taken(self, condition: Q) -> Q:
        slots = Slot.objects.filter(condition, appointment__isnull=False, deleted_at=None)
        return Q(pk__in=slots.values("appointment"))
