"""Search parameters that follow references: https://hl7.org/fhir/R4/search.html#reference"""

import re
from dataclasses import dataclass, field

from django.db.models import Model, Q

from clinic.models import Slot
from scheduling.api.search.kinds import Parameter, any_of
from scheduling.errors import Invalid

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Reference(Parameter):
    """A reference to one of `types`; `element` is where it is in the resource, for _include."""

    TYPE = "reference"

    types: tuple[str, ...]
    element: str = ""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        kind, fhir_id = split_reference(value, base)
        kinds = [kind] if kind else self.types
        return any_of(self.refers(each, fhir_id, base) for each in kinds if each in self.types)

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Link(Reference):
    """A foreign key to a resource; its target's own parameters can be chained."""

    column: str

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        return Q(**{f"{self.column}__fhir_id": fhir_id})


@dataclass(frozen=True, kw_only=True)
class ManyLinks(Reference):
    """A many-to-many field."""

    model: type[Model]
    column: str

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        return Q(pk__in=self.model._default_manager.filter(**{f"{self.column}__fhir_id": fhir_id}).values("pk"))


@dataclass(frozen=True, kw_only=True)
class ScheduleActor(Reference):
    """The actor that a Schedule names: a role's Schedule is not its practitioner's."""

    columns: dict[str, str] = field(
        default_factory=lambda: {
            "Practitioner": "bookable__practitioner",
            "PractitionerRole": "practitioner_role",
            "Location": "bookable__location",
            "Device": "bookable__device",
            "HealthcareService": "bookable__healthcare_service",
            "Patient": "bookable__patient",
        }
    )

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        named = Q(**{f"{self.columns[kind]}__fhir_id": fhir_id})
        return named & Q(practitioner_role=None) if kind == "Practitioner" else named


@dataclass(frozen=True, kw_only=True)
class Participant(Reference):
    """Who takes part, however they were referred to; `element` is where in a participant, such as that of a visit."""

    element: str = "participant.actor"

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        _, _, inner = self.element.partition(".")
        names = _names(kind, fhir_id, base)
        return any_of(Q(participant__contains=[{inner: {"reference": name}}]) for name in names)


@dataclass(frozen=True, kw_only=True)
class Listed(Reference):
    """A column that lists references."""

    column: str

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        names = _names(kind, fhir_id, base)
        return any_of(Q(**{f"{self.column}__contains": [{"reference": name}]}) for name in names)


@dataclass(frozen=True, kw_only=True)
class Canonical(Link):
    """A Questionnaire by its url, whatever the version, or as `Questionnaire/id`; or what was named and is not ours."""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        url = value.partition("|")[0]
        named = Q(**{f"{self.column}__url": url}) | Q(extra__questionnaire=value)
        return named if ":" in url.removeprefix(base) else super().condition(url, modifier, base)


@dataclass(frozen=True, kw_only=True)
class TakenSlot(Reference):
    """A Slot of an Appointment."""

    def refers(self, kind: str, fhir_id: str, base: str) -> Q:
        slots = Slot.objects.filter(fhir_id=fhir_id, appointment__isnull=False, deleted_at=None)
        return Q(pk__in=slots.values("appointment"))


def _names(kind: str, fhir_id: str, base: str) -> tuple[str, str]:
    """The ways to refer to a resource of ours."""
    return f"{kind}/{fhir_id}", f"{base}{kind}/{fhir_id}"


def split_reference(value: str, base: str) -> tuple[str, str]:
    """`Type/id`, at our address or relative, or an id alone. Raises Invalid."""
    kind, _, fhir_id = value.removeprefix(base).rpartition("/")
    if not ID.fullmatch(fhir_id) or not (kind == "" or kind.isalpha()):
        raise Invalid(f"{value!r} is not a reference such as Type/id.")
    return kind, fhir_id
