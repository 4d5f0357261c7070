"""Interactions that the URLs of the API answer: https://hl7.org/fhir/R4/http.html"""

from functools import cache

from django.conf import settings
from django.urls import resolve

# Each interaction by its address below the base, and its method.
ON_TYPE = {
    "read": ("{kind}/{id}", "get"),
    "vread": ("{kind}/{id}/_history/{version}", "get"),
    "update": ("{kind}/{id}", "put"),
    "patch": ("{kind}/{id}", "patch"),
    "delete": ("{kind}/{id}", "delete"),
    "history-instance": ("{kind}/{id}/_history", "get"),
    "history-type": ("{kind}/_history", "get"),
    "create": ("{kind}", "post"),
    "search-type": ("{kind}", "get"),
}
ON_SYSTEM = {
    "transaction": ("", "post"),
    "batch": ("", "post"),
    "search-system": ("", "get"),
    "history-system": ("_history", "get"),
}
# Interactions that also exist for the one resource that a search finds: https://hl7.org/fhir/R4/http.html#cond-update
CONDITIONAL = {"update": "put", "patch": "patch", "delete": "delete"}


def interactions_of(kind: str) -> list[str]:
    """Return the interactions of a type: https://hl7.org/fhir/R4/valueset-type-restful-interaction.html"""
    return [
        code
        for code, (address, method) in ON_TYPE.items()
        if method in methods_at(address.format(kind=kind, id="1", version="1"))
    ]


def system_interactions() -> list[str]:
    """Return the interactions of the system: https://hl7.org/fhir/R4/valueset-system-restful-interaction.html"""
    return [code for code, (address, method) in ON_SYSTEM.items() if method in methods_at(address)]


def is_conditional(kind: str, interaction: str) -> bool:
    return CONDITIONAL[interaction] in methods_at(kind)


def is_open(address: str) -> bool:
    """True if a view needs no token."""
    view = getattr(resolve(f"/{settings.FHIR_BASE_PATH}{address}").func, "cls", None)
    return not getattr(view, "permission_classes", ())


@cache
def methods_at(address: str) -> frozenset[str]:
    """Return the HTTP methods of an address below the base, in lower case."""
    match = resolve(f"/{settings.FHIR_BASE_PATH}{address}")
    view = getattr(match.func, "cls", None)
    if match.url_name == "nowhere" or view is None:
        return frozenset()
    allowed = getattr(match.func, "initkwargs", {}).get("http_method_names", view.http_method_names)
    return frozenset(name for name in allowed if hasattr(view, name))
