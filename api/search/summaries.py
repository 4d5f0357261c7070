"""Parts of resources: https://hl7.org/fhir/R4/search.html#summary and #elements"""

from collections.abc import Collection
from functools import cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

Json = dict[str, Any]

SUMMARIES = ("true", "text", "data", "count", "false")
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
ALWAYS = frozenset({"resourceType", "id", "meta"})


def shortened(resource: Json, summary: str, elements: Collection[str] = ()) -> Json:
    """Return the resource with these elements, or its summary, and its mandatory elements; tagged SUBSETTED."""
    kind = resource["resourceType"]
    if elements:
        names = ALWAYS | _mandatory(kind) | {each.removeprefix(f"{kind}.") for each in elements}
    elif summary == "true":
        names = ALWAYS | _mandatory(kind) | _summary(kind)
    elif summary == "text":
        names = ALWAYS | _mandatory(kind) | {"text"}
    elif summary == "data":
        names = frozenset(resource) - {"text"}
    else:
        return resource
    meta = resource.get("meta", {})
    part = {name: value for name, value in resource.items() if name.removeprefix("_") in names}
    return {**part, "meta": {**meta, "tag": [*meta.get("tag", ()), SUBSETTED]}}


@cache
def _summary(kind: str) -> frozenset[str]:
    return frozenset(get_fhir_model_class(kind).summary_elements_sequence())


@cache
def _mandatory(kind: str) -> frozenset[str]:
    """Return the elements that FHIR requires."""
    fields = get_fhir_model_class(kind).model_fields.items()
    return frozenset(
        str(field.alias or name)
        for name, field in fields
        if field.is_required()
        or (isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("element_required"))
    )
