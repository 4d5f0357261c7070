"""The CapabilityStatement, made from the tables and URLs that serve the API.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.exceptions import NotAcceptable
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.conformance.code_systems import code_systems
from api.conformance.operation_definitions import canonical
from api.conformance.pages import DEFINITIONS, OpenView
from api.conformance.profiles import INSTANTIATES, PROFILES
from api.conformance.routes import interactions_of, is_conditional, system_interactions
from api.conformance.search_parameters import OF_ALL_TYPES, declared, of_definitions
from api.conformance.topics import topic_canonicals
from api.formats.renderers import JSON_TYPES, XML_TYPES, FHIRNegotiation
from api.headers import base_of
from api.operations.registry import OPERATIONS
from api.patching import PATCHES
from api.search import known_includes, known_revincludes, parameters_of, shared_parameters
from api.smart.discovery import endpoints
from clinic.fhir.datatypes import Json
from clinic.fhir.resources import RESOURCES
from clinic.version import version
from scheduling.errors import Invalid

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
DOCUMENTATION = {
    "Slot": "A search finds computed free times beside stored Slots, from now and for 31 days unless it says a start. "
    "Their ids begin with `free-`. They have no versions, and are found and read for as long as they are free.",
}
SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
BOOKS = "What names free Slots and is still to come is booked, held or requested under the rules of $book."


class AnyFormat(FHIRNegotiation):
    """Content negotiation that falls back to JSON, so that every client can read which formats there are."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            renderer = next(iter(renderers))
            return renderer, str(renderer.media_type)


class MetadataView(OpenView):
    """`GET [base]/metadata`: https://hl7.org/fhir/R4/http.html#capabilities"""

    content_negotiation_class = AnyFormat

    def get(self, request: Request) -> Response:
        mode = request.query_params.get("mode", "full")
        if mode == "terminology":
            return Response(terminology_capabilities(request))
        if mode not in ("full", "normative"):
            raise Invalid(f"mode={mode} is not known: use full, normative or terminology.")
        return Response(capability_statement(request))


def capability_statement(request: Request) -> Json:
    base = base_of(request)
    rest: Json = {
        "mode": "server",
        "documentation": f"A batch or a transaction has {settings.MAX_BUNDLE_ENTRIES} entries at most.",
        "security": _security(request),
        "resource": [_resource(kind, base) for kind in (*RESOURCES, "Bundle", *DEFINITIONS)],
        "interaction": [{"code": code} for code in system_interactions()],
        "searchParam": [*declared(shared_parameters(list(RESOURCES))), *OF_ALL_TYPES],
        "operation": _operations("", base),
    }
    return {
        **_instance("CapabilityStatement", base),
        "instantiates": list(INSTANTIATES),
        "fhirVersion": "4.0.1",
        "format": [JSON_TYPES[0], XML_TYPES[0], "json", "xml"],
        "patchFormat": list(PATCHES),
        "rest": [{name: value for name, value in rest.items() if value}],
    }


def terminology_capabilities(request: Request) -> Json:
    """Return the TerminologyCapabilities: only our own codes can be read.

    https://hl7.org/fhir/R4/terminologycapabilities.html
    """
    base = base_of(request)
    return {
        **_instance("TerminologyCapabilities", base),
        "codeSystem": [{"uri": each["url"]} for each in code_systems(base)],
    }


def _instance(kind: str, base: str) -> Json:
    return {
        "resourceType": kind,
        "status": "active",
        "date": timezone.now().date().isoformat(),
        "publisher": settings.CLINIC_NAME,
        "kind": "instance",
        "software": {"name": "Clinic scheduling", "version": version()},
        "implementation": {"description": f"Scheduling of {settings.CLINIC_NAME}", "url": base.rstrip("/")},
    }


def _security(request: Request) -> Json:
    addresses = [{"url": name, "valueUri": address} for name, address in endpoints(request).items()]
    return {
        "extension": [{"url": OAUTH_URIS, "extension": addresses}],
        "cors": True,
        "service": [{"coding": [{"system": SECURITY_SERVICE, "code": "SMART-on-FHIR"}]}],
    }


def _resource(kind: str, base: str) -> Json:
    codes = interactions_of(kind)
    capabilities: Json = {
        "extension": topic_canonicals() if kind == "Subscription" else [],
        "type": kind,
        "supportedProfile": list(PROFILES.get(kind, ())),
        **({"documentation": DOCUMENTATION[kind]} if kind in DOCUMENTATION else {}),
        "interaction": [_interaction(kind, code) for code in codes],
        "operation": _operations(kind, base),
    }
    if kind in RESOURCES:
        capabilities |= _stored(kind, codes)
    elif kind in DEFINITIONS:
        capabilities["searchParam"] = of_definitions(kind)
    return {name: value for name, value in capabilities.items() if value != []}


def _interaction(kind: str, code: str) -> Json:
    books = (kind, code) == ("Appointment", "create")
    return {"code": code, **({"documentation": BOOKS} if books else {})}


def _stored(kind: str, codes: list[str]) -> Json:
    """Return the capabilities of a type with stored resources."""
    return {
        "versioning": "versioned-update" if "update" in codes else "versioned",
        "readHistory": "history-instance" in codes,
        "updateCreate": "update" in codes and kind != "Subscription",  # ids of others' are not told
        "conditionalCreate": "create" in codes,
        "conditionalRead": "full-support",
        "conditionalUpdate": is_conditional(kind, "update"),
        "conditionalDelete": "single" if is_conditional(kind, "delete") else "not-supported",
        "referencePolicy": ["literal", "logical", "enforced"],
        "searchInclude": list(known_includes(kind)),
        "searchRevInclude": list(known_revincludes(kind)),
        "searchParam": declared(parameters_of(kind), kind),
    }


def _operations(kind: str, base: str) -> list[Json]:
    return [{"name": each.name, "definition": canonical(each, base)} for each in OPERATIONS if each.resource == kind]
