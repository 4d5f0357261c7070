"""Public keys of the CDS Hooks client, for the services that it asks."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from scheduling import cds_hooks


@require_GET
def keys(request: HttpRequest) -> JsonResponse:
    """Return the JWK Set that the header `jku` of our tokens names: https://cds-hooks.hl7.org/2.0/#trusting-cds-clients"""
    return JsonResponse(cds_hooks.public_keys(), headers={"Cache-Control": "public, max-age=3600"})
