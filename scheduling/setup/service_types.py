"""Changes of the service types that the clinic has named itself."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clinic import service_types
from clinic.fhir.codes import SERVICE_TYPE
from clinic.fhir.visit_types import codings_of
from clinic.models import HealthcareService, ServiceType
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.errors import NotFound, RuleBroken
from scheduling.interactions.audit import record_writes
from scheduling.setup.writes import write_row


def rename_type(pk: int, name: str, *, caller: Caller, now: datetime) -> None:
    """Give a type another name, also in the services of this type. Raises RuleBroken for a name that exists."""
    access.may_set_up(caller)
    with booking.all_or_nothing():
        row = _locked(pk)
        same = service_types.type_named(name)
        if same and same != service_types.own_type(row):
            raise RuleBroken(_("There is a service type with this name already."))
        before, row.name = row.name, name
        row.save()
        written = [
            write_row(service, {"type": _renamed(service.type, row, before)}, version=service.version, now=now)[1]
            for service in _services_of(row)
        ]
        record_writes(written, caller=caller, now=now)


def remove_type(pk: int, *, caller: Caller) -> None:
    """Remove a type that no service has. Raises RuleBroken if one has it."""
    access.may_set_up(caller)
    with booking.all_or_nothing():
        row = _locked(pk)
        if named := ", ".join(service.name for service in _services_of(row)):
            raise RuleBroken(
                _("These visits have this type: %(names)s. Choose another one there first.") % {"names": named}
            )
        row.delete()


def load_types(concepts: Iterable[Any]) -> None:
    """Add the types that the clinic has named itself in another database, as a CodeSystem lists them.

    A code or a name that is known here stays as it is. Raises RuleBroken for a type without a code or a name.
    """
    known = {text for row in ServiceType.objects.all() for text in (row.code, row.name.casefold())}
    for concept in concepts:
        named = concept if isinstance(concept, dict) else {}
        row = ServiceType(code=str(named.get("code", "")), name=str(named.get("display", "")))
        if row.code in known or row.name.casefold() in known:
            continue
        try:
            row.full_clean()
        except ValidationError:
            raise RuleBroken(
                "A type of services needs a code of letters, digits, hyphens and underscores, and a display.",
                expression="CodeSystem.concept",
            ) from None
        row.save()
        known |= {row.code, row.name.casefold()}


def services_of_types() -> list[tuple[ServiceType, list[HealthcareService]]]:
    """Return the clinic's own types, each with its services. Two statements."""
    services = list(HealthcareService.objects.filter(deleted_at=None).order_by("name", "pk"))
    return [(row, [service for service in services if _is_of(service, row)]) for row in ServiceType.objects.all()]


def _is_of(service: HealthcareService, row: ServiceType) -> bool:
    return (SERVICE_TYPE, row.code) in codings_of(service.type)


def _services_of(row: ServiceType) -> list[HealthcareService]:
    """Return the services of a type."""
    concept = [{"coding": [service_types.own_coding(row)]}]
    return list(HealthcareService.objects.filter(type__contains=concept, deleted_at=None).order_by("name", "pk"))


def _locked(pk: int) -> ServiceType:
    row = ServiceType.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such service type.")
    return row


def _renamed(types: list[Any], row: ServiceType, before: str) -> list[Any]:
    """Return the types with the new name in the codings of the row, and in texts that were its name."""

    def coding_of(coding: Any) -> Any:
        is_own = (coding.get("system"), coding.get("code")) == (SERVICE_TYPE, row.code)
        return {**coding, "display": row.name} if is_own else coding

    renamed = []
    for concept in types:
        codings = [coding_of(coding) for coding in concept.get("coding", ())]
        if codings and codings != concept["coding"]:
            text = {"text": row.name} if concept.get("text") == before else {}
            concept = {**concept, "coding": codings, **text}
        renamed.append(concept)
    return renamed
