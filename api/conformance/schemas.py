"""FHIR's types as JSON Schema, from the definitions of fhir.resources: https://hl7.org/fhir/R4/json.html"""

from collections.abc import Iterable

from clinic.fhir.datatypes import Json
from clinic.fhir.definitions import ElementDefinition, Model, elements_of, model_of, type_name

ID: Json = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
FORMS: dict[str, Json] = {
    "text": {"type": "string", "minLength": 1},
    "xhtml": {"type": "string", "minLength": 1},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "resource": {"type": "object", "required": ["resourceType"]},
}


def schemas(kinds: Iterable[str]) -> dict[str, Json]:
    """Return the schemas of these resource types and of all data types in them, and of a resource of any type."""
    found: dict[str, Json] = {"Resource": FORMS["resource"]}
    todo = [(model, kind) for kind in kinds if (model := model_of(kind))]
    while todo:
        model, kind = todo.pop()
        name = type_name(model)
        if name not in found:
            found[name] = _schema(model, kind)
            todo += [(each.model, "") for each in elements_of(model).values() if each.model]
    return dict(sorted(found.items()))


def reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _schema(model: Model, kind: str) -> Json:
    elements = elements_of(model)
    properties = {name: _property(each) for name, each in elements.items()}
    required = [name for name, each in elements.items() if each.required]
    if kind:
        properties = {"resourceType": {"type": "string", "enum": [kind]}, **properties, "id": ID}
        required = ["resourceType", *required]
    schema: Json = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


def _property(element: ElementDefinition) -> Json:
    one = reference(type_name(element.model)) if element.model else FORMS[element.form]
    return {"type": "array", "minItems": 1, "items": one} if element.many else one
