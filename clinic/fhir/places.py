"""Organization, Location and Device.

https://hl7.org/fhir/R4/organization.html, location.html, device.html.
"""

from clinic.fhir.elements import Element, Link, code, lines, text
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.people import ACTIVE, IDENTIFIER, PHONE, TIME_ZONE
from clinic.models import Device, Location, Organization

ORGANIZATION = (ACTIVE, IDENTIFIER, Element(Path("name"), "name", text(200)))
LOCATION = (
    IDENTIFIER,
    Element(Path("status"), "status", code(Location.Status, Location.Status.ACTIVE)),
    Element(Path("name"), "name", text(200)),
    Link(Path("partOf", "reference"), "part_of", types=("Location",)),
    Link(Path("managingOrganization", "reference"), "organization", types=("Organization",)),
    Element(Path("address", "line"), "line", lines(200)),
    Element(Path("address", "city"), "city", text(100)),
    Element(Path("address", "state"), "state", text(100)),
    Element(Path("address", "postalCode"), "postal_code", text(20)),
    Element(Path("address", "country"), "country", text(100)),
    PHONE,
    TIME_ZONE,
)
DEVICE = (
    IDENTIFIER,
    Element(Path("status"), "status", code(Device.Status, Device.Status.ACTIVE)),
    Element(Path("deviceName", 0, "name"), "name", text(200), beside={"type": "user-friendly-name"}),
    Link(Path("location", "reference"), "location", types=("Location",)),
    TIME_ZONE,
)

KINDS = {
    "Organization": ResourceKind(Organization, writer(ORGANIZATION), reader("Organization", ORGANIZATION)),
    "Location": ResourceKind(
        Location, writer(LOCATION), reader("Location", LOCATION), related=("part_of", "organization")
    ),
    "Device": ResourceKind(Device, writer(DEVICE), reader("Device", DEVICE), related=("location",)),
}
