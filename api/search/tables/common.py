"""Search parameters that several types have."""

from dataclasses import replace
from typing import Any

from api.search.dates import Date
from api.search.kinds import Parameter
from api.search.links import Link
from api.search.references import JsonReference
from api.search.strings import Text, Uri
from api.search.tokens import Code, Coding, Concept, Contact, Flag, Identifier, Language, Token
from api.search.words import Content
from clinic.fhir import codes

Parameters = dict[str, Parameter]

ADDRESS_USE = "http://hl7.org/fhir/address-use"
GENDER = "http://hl7.org/fhir/administrative-gender"
PARTICIPATION = "http://hl7.org/fhir/participationstatus"
ACTORS = ("Practitioner", "PractitionerRole", "Location", "Device", "HealthcareService", "Patient", "RelatedPerson")


def of_every(kind: str) -> Parameters:
    """Return the parameters that every type has."""
    return {
        "_id": Token(column="fhir_id", definition="Resource-id", expression="Resource.id"),
        "_lastUpdated": Date(
            column="last_updated", definition="Resource-lastUpdated", expression="Resource.meta.lastUpdated"
        ),
        "_tag": Coding(places=("extra.meta.tag",), definition="Resource-tag", expression="Resource.meta.tag"),
        "_profile": Uri(place="extra.meta.profile", definition="Resource-profile", expression="Resource.meta.profile"),
        "_security": Coding(
            places=("extra.meta.security",), definition="Resource-security", expression="Resource.meta.security"
        ),
        "_source": Uri(place="extra.meta.source", definition="Resource-source", expression="Resource.meta.source"),
        "_text": Content(kind=kind, narrative=True, definition="DomainResource-text", expression=""),
        "_content": Content(kind=kind, definition="Resource-content", expression=""),
    }


def json_reference(at: str, *types: str, **more: Any) -> JsonReference:
    """Return the parameter for references in JSON, at the resource's own path."""
    return JsonReference(at=at, types=types, element=at.removeprefix("extra."), **more)


def address(definition: str) -> Parameters:
    """Return the parameters for addresses in JSON. `definition` is the beginning of their canonical URLs."""
    parts = {"city": "city", "state": "state", "postalcode": "postalCode", "country": "country"}
    elements = ("line", "city", "district", "state", "postalCode", "country", "text")
    whole = Text(places=tuple(f"extra.address.{each}" for each in elements), definition=f"{definition}-address")
    return {
        "address": whole,
        **{
            f"address-{name}": Text(
                places=(f"extra.address.{element}",),
                definition=f"{definition}-address-{name}",
                expression=f"address.{element}",
            )
            for name, element in parts.items()
        },
        "address-use": Code(
            places=("extra.address.use",),
            system=ADDRESS_USE,
            definition=f"{definition}-address-use",
            expression="address.use",
        ),
    }


def names(*columns: str, **more: Any) -> Text:
    """Return the parameters for parts of a HumanName."""
    return Text(
        columns=tuple(each for each in columns if each == "family"),
        lists=tuple(each for each in columns if each != "family"),
        places=tuple(f"extra.name.{each}" for each in columns),
        **more,
    )


IDENTIFIED: Parameters = {"identifier": Identifier()}
ACTIVE: Parameters = {**IDENTIFIED, "active": Flag(column="active")}
SPECIALTY: Parameters = {"specialty": Concept(places=("specialty",))}
ENDPOINT: Parameters = {"endpoint": json_reference("extra.endpoint", "Endpoint")}
BIRTH_DATE = Date(
    column="birth_date", days=True, partial="extra.birthDate", definition="individual-birthdate", expression="birthDate"
)
LANGUAGE = Language(
    column="language",
    system=codes.LANGUAGE,
    places=("extra.communication.language",),
    expression="communication.language",
)
ORGANIZATION = Link(column="organization", types=("Organization",))
SUBJECT = Link(column="patient", types=("Patient",), element="subject")
PATIENT = replace(SUBJECT, expression="subject.where(resolve() is Patient)")

_NAME = names("family", "given", "prefix")
WHOLE_NAME = Text(
    columns=_NAME.columns,
    lists=_NAME.lists,
    places=(*_NAME.places, "extra.name.suffix", "extra.name.text"),
)
TELECOM: dict[str, Contact] = {
    "email": Contact(system="email", definition="individual-email", expression="telecom.where(system='email')"),
    "phone": Contact(system="phone", definition="individual-phone", expression="telecom.where(system='phone')"),
    "telecom": Contact(definition="individual-telecom"),
}
# Parameters of RelatedPerson; Patient and Practitioner have more. `phonetic` compares names as they are written.
INDIVIDUAL: Parameters = {
    **ACTIVE,
    **TELECOM,
    **address("individual"),
    "name": WHOLE_NAME,
    "phonetic": Text(
        columns=WHOLE_NAME.columns,
        lists=WHOLE_NAME.lists,
        places=WHOLE_NAME.places,
        definition="individual-phonetic",
        expression="name",
        usage="phonetic",
    ),
    "gender": Token(column="gender", system=GENDER, definition="individual-gender"),
}
PERSON: Parameters = {
    **INDIVIDUAL,
    "family": names("family", definition="individual-family", expression="name.family"),
    "given": names("given", definition="individual-given", expression="name.given"),
}
# Parameters of visits for elements without a column.
KIND_OF_VISIT: Parameters = {
    "service-category": Concept(places=("extra.serviceCategory",)),
    "specialty": Concept(places=("extra.specialty",)),
    "appointment-type": Concept(places=("extra.appointmentType",)),
}
