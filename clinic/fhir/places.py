"""Organization, Location and Device.

https://hl7.org/fhir/R4/organization.html, location.html, device.html.
"""

from typing import Any

from clinic.fhir import codes
from clinic.fhir.elements import LIST, ConceptExtensions, Conversion, Element, ReferenceElement, code, lines, text
from clinic.fhir.issues import InvalidElement, ResourceIssue
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.people import ACTIVE, IDENTIFIER, PHONE, TIME_ZONE
from clinic.fhir.readings import Reading
from clinic.models import Device, Location, Organization, PlaceFeature


def _degrees(limit: int) -> Conversion:
    def read(value: Any) -> float | None:
        if value is not None and not -limit <= value <= limit:
            raise InvalidElement(f"Degrees are from -{limit} to {limit}.", "value")
        return None if value is None else float(value)

    return Conversion(read, lambda value: value)


# FHIR R5 has a code for step-free access: https://hl7.org/fhir/R5/valueset-location-characteristic.html
FEATURES = {feature: (codes.PLACE_FEATURE, feature.value) for feature in PlaceFeature} | {
    PlaceFeature.STEP_FREE: (codes.LOCATION_CHARACTERISTIC, "wheelchair")
}
ORGANIZATION = (ACTIVE, IDENTIFIER, Element(Path("name"), "name", text(200)))
LOCATION = (
    IDENTIFIER,
    Element(Path("status"), "status", code(Location.Status, Location.Status.ACTIVE)),
    Element(Path("name"), "name", text(200)),
    ReferenceElement(Path("partOf", "reference"), "part_of", types=("Location",)),
    ReferenceElement(Path("managingOrganization", "reference"), "organization", types=("Organization",)),
    Element(Path("description"), "description", text()),
    Element(Path("address", "line"), "line", lines(200)),
    Element(Path("address", "city"), "city", text(100)),
    Element(Path("address", "state"), "state", text(100)),
    Element(Path("address", "postalCode"), "postal_code", text(20)),
    Element(Path("address", "country"), "country", text(100)),
    PHONE,
    TIME_ZONE,
    ConceptExtensions(Path("extension"), "features", LIST, url=codes.CHARACTERISTIC, codings=FEATURES),
    Element(Path("position", "latitude"), "latitude", _degrees(90)),
    Element(Path("position", "longitude"), "longitude", _degrees(180)),
)
DEVICE = (
    IDENTIFIER,
    Element(Path("status"), "status", code(Device.Status, Device.Status.ACTIVE)),
    Element(Path("deviceName", 0, "name"), "name", text(200), beside={"type": "user-friendly-name"}),
    ReferenceElement(Path("location", "reference"), "location", types=("Location",)),
    TIME_ZONE,
)


def _check_position(reading: Reading) -> None:
    """Require both latitude and longitude of a position, even if a data-absent-reason stands for one."""
    latitude, longitude = (reading.draft.fields.get(name) for name in ("latitude", "longitude"))
    if (latitude is None) != (longitude is None) and not reading.is_refused("position"):
        text = "A position has both latitude and longitude."
        reading.refuse(ResourceIssue("required", text, "Location.position"))


KINDS = {
    "Organization": ResourceKind(Organization, writer(ORGANIZATION), reader("Organization", ORGANIZATION)),
    "Location": ResourceKind(
        Location, writer(LOCATION), reader("Location", LOCATION, _check_position), related=("part_of", "organization")
    ),
    "Device": ResourceKind(Device, writer(DEVICE), reader("Device", DEVICE), related=("location",)),
}
