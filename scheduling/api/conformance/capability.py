"""What this server can do, as the same tables say by which it does it.

https://hl7.org/fhir/R4/capabilitystatement.html and https://hl7.org/fhir/smart-app-launch/conformance.html
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.fhir.resources import RESOURCES
from scheduling.api.authentication import EVERYTHING
from scheduling.api.formats.renderers import FHIRNegotiation
from scheduling.api.headers import base_of
from scheduling.api.operations import OPERATIONS
from scheduling.api.search import known_includes, parameters_of
from scheduling.api.views import FHIRView

Json = dict[str, Any]

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


class AnyFormat(FHIRNegotiation):
    """Whoever asks what can be had is told in the form that can be had."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class MetadataView(FHIRView):
    """`GET [base]/metadata`, for everybody."""

    authentication_classes = []
    permission_classes = []
    content_negotiation_class = AnyFormat

    def get(self, request: Request) -> Response:
        return Response(capability_statement(request))


def smart_configuration(request: HttpRequest) -> JsonResponse:
    """`GET [base]/.well-known/smart-configuration`: where tokens come from."""
    return JsonResponse(
        {
            "token_endpoint": request.build_absolute_uri(reverse("oauth2_provider:token")),
            "revocation_endpoint": request.build_absolute_uri(reverse("oauth2_provider:revoke-token")),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": [EVERYTHING],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["client-confidential-symmetric", "permission-v2"],
        }
    )


def capability_statement(request: Request) -> Json:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": timezone.now().date().isoformat(),
        "kind": "instance",
        "software": {"name": "Clinic scheduling"},
        "implementation": {"description": f"Scheduling of {settings.CLINIC_NAME}", "url": base_of(request).rstrip("/")},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(request),
                "resource": [_resource(kind) for kind in RESOURCES],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _security(request: Request) -> Json:
    addresses = {"token": "oauth2_provider:token", "revoke": "oauth2_provider:revoke-token"}
    return {
        "extension": [
            {
                "url": OAUTH_URIS,
                "extension": [
                    {"url": name, "valueUri": request.build_absolute_uri(reverse(address))}
                    for name, address in addresses.items()
                ],
            }
        ],
        "service": [{"coding": [{"system": SECURITY_SERVICE, "code": "SMART-on-FHIR"}]}],
    }


def _resource(kind: str) -> Json:
    writable = RESOURCES[kind].from_fhir is not None
    codes = ["read", "search-type", *(["create", "update"] if writable else [])]
    told: Json = {
        "type": kind,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned-update" if writable else "versioned",
        "readHistory": False,
        "updateCreate": writable,
        "conditionalCreate": writable,
        "conditionalRead": "not-match",
        "searchInclude": list(known_includes(kind)),
        "searchParam": [
            {"name": name, "definition": each.definition, "type": each.TYPE}
            for name, each in parameters_of(kind).items()
        ],
        "operation": [
            {"name": each.name, "definition": each.definition} for each in OPERATIONS if each.resource == kind
        ],
    }
    return {name: value for name, value in told.items() if value != []}
