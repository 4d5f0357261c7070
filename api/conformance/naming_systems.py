"""NamingSystems of our own identifiers: https://hl7.org/fhir/R4/namingsystem.html"""

from django.conf import settings
from django.utils import timezone

from api.conformance.definitions import computable
from clinic.fhir import codes
from clinic.fhir.datatypes import Json


def naming_systems(base: str) -> list[Json]:
    return [
        _definition(codes.BLOCK, "Identifies a block: time that is closed on the calendars of one day or several."),
        _definition(codes.BLOCK_OCCASION, "Identifies the occasion on which blocks were made together."),
        _definition(codes.IMPORTED, "The number of a row in the system that it was imported from."),
        _definition(codes.COMBINED_VISITS, "Identifies visits that were booked together: each of them has the value."),
    ]


def _definition(url: str, text: str) -> Json:
    fhir_id = url.rpartition("/")[2]
    return {
        "resourceType": "NamingSystem",
        "id": fhir_id,
        "name": computable(fhir_id),
        "status": "active",
        "kind": "identifier",
        "date": timezone.now().date().isoformat(),
        "publisher": settings.CLINIC_NAME,
        "description": text,
        "uniqueId": [{"type": "uri", "value": url, "preferred": True}],
    }
