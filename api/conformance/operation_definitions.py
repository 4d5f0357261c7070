"""OperationDefinitions, from OPERATIONS: https://hl7.org/fhir/R4/operationdefinition.html"""

from api.conformance.definitions import definition
from api.operations.registry import OPERATIONS, Operation, OperationParameter
from clinic.fhir.datatypes import Json


def operation_definitions(base: str) -> list[Json]:
    """Return the definitions. The URL of each is the address at which it is read."""
    return [_definition(each, base) for each in OPERATIONS]


def canonical(operation: Operation, base: str) -> str:
    return operation.standard or f"{base}OperationDefinition/{operation.id}"


def _definition(operation: Operation, base: str) -> Json:
    url = f"{base}OperationDefinition/{operation.id}"
    text = operation.documentation or f"The operation ${operation.name}."
    elements: Json = {
        **definition("OperationDefinition", operation.id, url, text),
        "kind": "operation",
        "affectsState": operation.affects_state,
        "code": operation.name,
        "system": not operation.resource,
        "type": operation.on_type,
        "instance": operation.on_instance,
    }
    if operation.standard:
        elements["base"] = operation.standard
    if operation.resource:
        elements["resource"] = [operation.resource]
    if operation.parameters:
        elements["parameter"] = [_parameter(each) for each in operation.parameters]
    return elements


def _parameter(parameter: OperationParameter) -> Json:
    elements: Json = {
        "name": parameter.name,
        "use": parameter.use,
        "min": parameter.min,
        "max": parameter.max,
        "documentation": parameter.documentation,
        "type": parameter.type,
    }
    return {**elements, "searchType": parameter.search} if parameter.search else elements
