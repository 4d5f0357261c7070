"""Search parameters of organizations, locations, devices and services."""

from dataclasses import replace

from api.search.links import Link, ManyLinks
from api.search.near import Near
from api.search.strings import Text, Uri
from api.search.tables.common import (
    ACTIVE,
    ADDRESS_USE,
    ENDPOINT,
    IDENTIFIED,
    ORGANIZATION,
    SPECIALTY,
    Parameters,
    address,
    json_reference,
)
from api.search.tokens import Code, Coding, Concept, Token
from clinic.models import HealthcareService

PLACES: dict[str, Parameters] = {
    "Organization": {
        **ACTIVE,
        **ENDPOINT,
        **address("Organization"),
        "name": Text(columns=("name",), places=("extra.alias",), expression="name | alias"),
        "phonetic": Text(columns=("name",), expression="name", usage="phonetic"),
        "type": Concept(places=("extra.type",)),
        "partof": json_reference("extra.partOf", "Organization"),
    },
    "Location": {
        **IDENTIFIED,
        **ENDPOINT,
        "name": Text(columns=("name",), places=("extra.alias",), expression="name | alias"),
        "status": Token(column="status", system="http://hl7.org/fhir/location-status"),
        "operational-status": Coding(places=("extra.operationalStatus",)),
        "type": Concept(places=("extra.type",)),
        "near": Near(),
        "address": Text(
            columns=("line", "city", "state", "postal_code", "country"),
            places=("extra.address.line", "extra.address.district", "extra.address.text"),
        ),
        "address-city": Text(columns=("city",), expression="address.city"),
        "address-state": Text(columns=("state",), expression="address.state"),
        "address-postalcode": Text(columns=("postal_code",), expression="address.postalCode"),
        "address-country": Text(columns=("country",), expression="address.country"),
        "address-use": Code(places=("extra.address.use",), system=ADDRESS_USE, expression="address.use"),
        "organization": replace(ORGANIZATION, element="managingOrganization"),
        "partof": Link(column="part_of", types=("Location",), element="partOf"),
    },
    "HealthcareService": {
        **ACTIVE,
        **SPECIALTY,
        **ENDPOINT,
        "name": Text(columns=("name",)),
        "service-type": Concept(places=("type",), expression="type"),
        "service-category": Concept(places=("extra.category",), expression="category"),
        "characteristic": Concept(places=("extra.characteristic",)),
        "program": Concept(places=("extra.program",)),
        "organization": replace(ORGANIZATION, element="providedBy"),
        "location": ManyLinks(model=HealthcareService, column="locations", types=("Location",), element="location"),
        "coverage-area": json_reference("extra.coverageArea", "Location"),
    },
    "InsurancePlan": {
        **IDENTIFIED,
        **ENDPOINT,
        "name": Text(columns=("name",), places=("extra.alias",), expression="name | alias"),
        "phonetic": Text(columns=("name",), expression="name", usage="phonetic"),
        "status": Token(column="status", system="http://hl7.org/fhir/publication-status"),
        "type": Concept(places=("extra.type",)),
        "owned-by": Link(column="payer", types=("Organization",), element="ownedBy"),
        "administered-by": json_reference("extra.administeredBy", "Organization"),
    },
    "Device": {
        **IDENTIFIED,
        "device-name": Text(
            columns=("name",),
            places=("extra.deviceName.name", "extra.type.text", "extra.type.coding.display"),
            expression="deviceName.name | type.coding.display | type.text",
        ),
        "status": Token(column="status", system="http://hl7.org/fhir/device-status"),
        "type": Concept(places=("extra.type",)),
        "manufacturer": Text(places=("extra.manufacturer",)),
        "model": Text(places=("extra.modelNumber",), expression="modelNumber"),
        "udi-carrier": Text(places=("extra.udiCarrier.carrierHRF",), expression="udiCarrier.carrierHRF"),
        "udi-di": Text(places=("extra.udiCarrier.deviceIdentifier",), expression="udiCarrier.deviceIdentifier"),
        "url": Uri(place="extra.url"),
        "location": Link(column="location", types=("Location",), element="location"),
        "organization": json_reference("extra.owner", "Organization"),
        "patient": json_reference("extra.patient", "Patient"),
    },
}
