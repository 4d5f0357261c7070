"""JSON Patch (https://www.rfc-editor.org/rfc/rfc6902) as FHIR uses it: https://hl7.org/fhir/R4/http.html#patch"""

from typing import Any, cast

from jsonpatch import InvalidJsonPatch, JsonPatch, JsonPatchException, JsonPatchTestFailed, JsonPointerException

from api.formats.parsers import read_json
from api.patching.errors import NotApplied
from clinic import exact_json
from clinic.fhir.datatypes import Json
from scheduling.errors import Invalid, Issue
from scheduling.interactions import Patch

MOST_OPERATIONS = 200
MOST_BYTES = 1_000_000


def read(body: bytes) -> Patch:
    """Read a JSON Patch. Raises Invalid."""
    operations = read_json(body)
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        _refuse("A JSON Patch is a list of operations.")
    if len(operations) > MOST_OPERATIONS:
        _refuse(f"A JSON Patch has {MOST_OPERATIONS} operations at most.")
    patches = [_read(each, n) for n, each in enumerate(operations)]

    def apply(resource: Json) -> Json:
        document: Any = resource
        for n, patch in enumerate(patches):
            document = _applied(patch, document, n)
        if not isinstance(document, dict):
            raise NotApplied("What is left of it is no resource.")
        return cast(Json, document)

    return apply


def _read(operation: Json, n: int) -> JsonPatch:
    try:
        return JsonPatch([operation])
    except (JsonPatchException, JsonPointerException, TypeError, AttributeError) as error:
        raise _malformed(error, n) from error


def _applied(patch: JsonPatch, document: Any, n: int) -> Any:
    """Apply one operation after another, within a limit on size. An error does not quote the document."""
    try:
        document = patch.apply(document, in_place=True)
        if patch.patch[0]["op"] == "copy" and len(exact_json.dumps(document)) > MOST_BYTES:
            raise NotApplied(f"Operation {n} makes it larger than {MOST_BYTES:,} bytes.")
    except InvalidJsonPatch as error:  # some of what is missing is only missed here
        raise _malformed(error, n) from error
    except (JsonPatchException, JsonPointerException, TypeError, KeyError, IndexError, ValueError) as error:
        why = "its value is another." if isinstance(error, JsonPatchTestFailed) else "there is no such place."
        text = f"Operation {n}, {patch.patch[0]['op']} {patch.patch[0]['path']}: {why}"
        raise NotApplied(text) from error
    return document


def _malformed(error: Exception, n: int) -> Invalid:
    return Invalid(issues=[Issue("structure", f"Operation {n}: {error}")])


def _refuse(text: str) -> None:
    raise Invalid(issues=[Issue("structure", text)])
