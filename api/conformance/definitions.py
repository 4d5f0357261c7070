"""Elements that all our definitions share: https://hl7.org/fhir/R4/metadataresource.html"""

import re

from django.conf import settings

from clinic.fhir.datatypes import Json
from clinic.version import version


def computable(text: str) -> str:
    """Return the computable name of an id: AppointmentFind for `appointment-find`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", text))


def definition(kind: str, fhir_id: str, url: str, text: str) -> Json:
    return {
        "resourceType": kind,
        "id": fhir_id,
        "url": url,
        "version": version(),
        "name": computable(fhir_id),
        "status": "active",
        "publisher": settings.CLINIC_NAME,
        "description": text,
    }
