"""What became of a Bundle's entries: https://hl7.org/fhir/R4/http.html#transaction-response"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from clinic.fhir.datatypes import instant
from scheduling.api.outcomes import Refusal, refusal_of
from scheduling.interactions import Written

Json = dict[str, Any]


def transaction_response(written: Sequence[Written]) -> Json:
    return _bundle("transaction-response", [_done(each) for each in written])


def batch_response(results: Sequence[Written | Refusal]) -> Json:
    return _bundle(
        "batch-response", [_done(each) if isinstance(each, Written) else _not_done(each) for each in results]
    )


def _bundle(kind: str, responses: Sequence[Json]) -> Json:
    bundle: Json = {"resourceType": "Bundle", "type": kind}
    return {**bundle, "entry": [{"response": each} for each in responses]} if responses else bundle


def _done(written: Written) -> Json:
    return {
        "status": _status(HTTPStatus.CREATED if written.outcome == "created" else HTTPStatus.OK),
        "location": written.location,
        "etag": f'W/"{written.version}"',
        "lastModified": instant(written.last_updated),
    }


def _not_done(error: Refusal) -> Json:
    status, told = refusal_of(error)
    return {"status": _status(status), "outcome": told}


def _status(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"
