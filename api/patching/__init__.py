"""Patches, in each of FHIR's formats: https://hl7.org/fhir/R4/http.html#patch

A patch is read once and then applied to the JSON of the resource.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from typing import IO, Any, cast

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from api.formats.parsers import read_element
from api.headers import base_of
from api.patching import fhirpath_patch, json_patch, xml_patch
from clinic.fhir import own_addresses
from clinic.fhir.datatypes import Json
from scheduling.errors import Invalid, Issue
from scheduling.interactions import Patch

__all__ = ["PATCHES", "PatchParser", "patch_in", "patch_of"]

# By media type: the function that reads a body and returns its patch. Each raises Invalid.
PATCHES: dict[str, Callable[[bytes], Patch]] = {
    "application/json-patch+json": json_patch.read,
    "application/xml-patch+xml": xml_patch.read,
    "application/fhir+json": fhirpath_patch.read,
    "application/fhir+xml": lambda body: fhirpath_patch.of(read_element(body)),
    "application/fhirpath-patch+fhirpath": fhirpath_patch.read,  # as Argonaut Scheduling calls it
}


class PatchParser(BaseParser):
    """Parser of the body of a PATCH. Plain JSON is refused, because it does not say which kind of patch it is."""

    media_type = "*/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Mapping[str, Patch]:
        assert parser_context is not None  # DRF's requests have one
        read = PATCHES.get(_bare(media_type or ""))
        if read is None:
            raise UnsupportedMediaType(media_type or "", f"A PATCH is one of {', '.join(PATCHES)}, not {media_type}.")
        request = parser_context["request"]
        return {"patch": read(own_addresses.to_stored(request.body, base_of(request)))}


def patch_of(request: Request) -> Patch:
    """Return the patch of a request. Raises Invalid without one."""
    data = cast(Mapping[str, Patch], request.data)
    if "patch" not in data:  # an empty body is not even read
        raise Invalid(issues=[Issue("required", "A PATCH says in its body what to change.")])
    return data["patch"]


def patch_in(resource: Json) -> Patch:
    """Return the patch of a Bundle entry: Parameters, or a Binary with another format. Raises Invalid."""
    match resource:
        case {"resourceType": "Parameters"}:
            return fhirpath_patch.of(resource)
        case {"resourceType": "Binary", "contentType": str(media_type), "data": str(data)}:
            if _bare(media_type) in PATCHES:
                return PATCHES[_bare(media_type)](_decoded(data))
    text = f"The resource of a PATCH is Parameters, or a Binary of one of {', '.join(PATCHES)}."
    raise Invalid(issues=[Issue("not-supported", text, "resource")])


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _decoded(data: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except (NotBase64, ValueError) as error:
        raise Invalid("Binary.data is not base64.", expression="resource.data") from error
