"""InsurancePlan: https://hl7.org/fhir/R4/insuranceplan.html

The services and sites for which the clinic accepts a plan are our extensions: FHIR's plan is its owner's, and says what
it pays, not where.
"""

from clinic.fhir import codes
from clinic.fhir.elements import Element, ReferenceElement, ReferenceExtensions, code, text
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.people import IDENTIFIER
from clinic.models import InsurancePlan

INSURANCE_PLAN = (
    IDENTIFIER,
    Element(Path("status"), "status", code(InsurancePlan.Status, InsurancePlan.Status.ACTIVE)),
    Element(Path("name"), "name", text(200), required=True),
    ReferenceElement(Path("ownedBy", "reference"), "payer", types=("Organization",)),
    ReferenceExtensions(Path("extension"), "services", url=codes.ACCEPTED_FOR_SERVICE, types=("HealthcareService",)),
    ReferenceExtensions(Path("extension"), "locations", url=codes.ACCEPTED_AT_SITE, types=("Location",)),
)

KINDS = {
    "InsurancePlan": ResourceKind(
        InsurancePlan,
        writer(INSURANCE_PLAN),
        reader("InsurancePlan", INSURANCE_PLAN),
        related=("payer",),
        prefetch=("services", "locations"),
    ),
}
