"""Batch and transaction Bundles: https://hl7.org/fhir/R4/http.html#transaction"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.conf import settings

from api import reading
from api.headers import is_named
from api.operations.plain_booking import AppointmentBooker
from api.outcomes import Refusal, outcome, refusal_of
from api.patching import patch_in
from clinic.fhir.bundles import faults
from clinic.fhir.datatypes import Json, instant, read_instant
from clinic.fhir.issues import InvalidElement
from clinic.fhir.resources import InvalidResource, to_fhir
from clinic.models import Resource
from scheduling import interactions
from scheduling.access import Caller
from scheduling.errors import Invalid, Issue, SchedulingError, TooCostly
from scheduling.interactions import BundleRefused, Entry, EntryProblem, WriteResult


@dataclass(frozen=True, kw_only=True)
class Sender:
    """The caller of a Bundle, and which representation they prefer: https://hl7.org/fhir/R4/http.html#ops"""

    caller: Caller
    now: datetime
    base: str
    returning: str = ""


def transaction(bundle: Json, sender: Sender) -> Json:
    """Process a transaction, all of it or nothing. Its GET entries are read after all writes and before the commit."""
    entries = _entries(bundle)
    answers: dict[int, Json] = {}
    request = interactions.WriteRequest(
        entries=interactions.entries_of(bundle, sender.base, ["transaction"], patch_in),
        base=sender.base,
        find=reading.finder(sender.caller, sender.base),
        booking_of=AppointmentBooker(sender.caller, sender.base, sender.now),
        then=lambda: answers.update(_answers(entries, sender)),
    )
    written = interactions.write(request, caller=sender.caller, now=sender.now)
    answers |= _done(written, sender)
    return _bundle("transaction-response", [answers[index] for index in sorted(answers)])


def batch(bundle: Json, sender: Sender) -> Json:
    """Process each entry of a batch by itself: https://hl7.org/fhir/R4/http.html#brules"""
    return _bundle("batch-response", [_one(each, index, sender) for index, each in enumerate(_entries(bundle))])


def _entries(bundle: Json) -> list[Any]:
    """Return the entries of a Bundle. Raises Invalid, InvalidResource, TooCostly."""
    entries = interactions.raw_entries(bundle, "transaction", "batch")
    if len(entries) > settings.MAX_BUNDLE_ENTRIES:
        text = (
            f"A {bundle['type']} has {settings.MAX_BUNDLE_ENTRIES:,} entries at most, not {len(entries):,}: divide it."
        )
        raise TooCostly(text, expression="Bundle.entry")
    if issues := list(faults(bundle)):
        raise InvalidResource(issues)
    return entries


def _one(entry: Any, index: int, sender: Sender) -> Json:
    try:
        if interactions.is_read(entry):
            return _answer(entry["request"], sender)
        write = interactions.entry_of(entry, index, sender.base, patch_in)
        return _done([_perform(write, sender)], sender)[index]
    except (SchedulingError, InvalidResource) as error:
        return _not_done(error)


def _perform(entry: Entry, sender: Sender) -> WriteResult:
    booker = AppointmentBooker(sender.caller, sender.base, sender.now)
    try:
        find = reading.finder(sender.caller, sender.base)
        write = interactions.WriteRequest(entries=[entry], base=sender.base, find=find, booking_of=booker)
        return interactions.perform(write, caller=sender.caller, now=sender.now)
    except SchedulingError as refusal:
        booker.explain(refusal)
        raise


def _answers(entries: Sequence[Any], sender: Sender) -> dict[int, Json]:
    """Return the answers of the GET entries. Raises BundleRefused for the first that fails."""
    answers = {}
    for index, entry in enumerate(entries):
        if interactions.is_read(entry):
            try:
                answers[index] = _answer(entry["request"], sender)
            except SchedulingError as error:
                raise BundleRefused([EntryProblem(index, str(entry["request"].get("url")), error)]) from error
    return answers


def _answer(request: Mapping[str, Any], sender: Sender) -> Json:
    found = reading.answer(str(request.get("url", "")), sender.caller, sender.base)
    if not isinstance(found, Resource):
        return {"resource": found, "response": {"status": _status(HTTPStatus.OK)}}
    if _is_known(found, request):
        return {"response": {"status": _status(HTTPStatus.NOT_MODIFIED), **_version(found)}}
    return {
        "fullUrl": f"{sender.base}{found.reference}",
        "resource": to_fhir(found),
        "response": {"status": _status(HTTPStatus.OK), **_version(found)},
    }


def _is_known(found: Resource, request: Mapping[str, Any]) -> bool:
    """True if the client has this version already: https://hl7.org/fhir/R4/http.html#cread. Raises Invalid."""
    if "ifNoneMatch" in request:
        return is_named(found.version, str(request["ifNoneMatch"]))
    if "ifModifiedSince" not in request:
        return False
    try:
        return found.last_updated <= read_instant(str(request["ifModifiedSince"]))
    except InvalidElement as error:
        raise Invalid(error.text, expression="request.ifModifiedSince") from error


def _done(written: Sequence[WriteResult], sender: Sender) -> dict[int, Json]:
    """Return the response entries by their index. One query for each type of the returned resources."""
    bodies = reading.representations(written, sender.caller) if sender.returning == "representation" else {}
    answers: dict[int, Json] = {}
    for result in written:
        answer: Json = {"response": _response(result)}
        if result.reference in bodies:
            answer |= {"fullUrl": f"{sender.base}{result.reference}", "resource": bodies[result.reference]}
        elif sender.returning == "OperationOutcome":
            issue = Issue("informational", f"{result.reference} is {result.outcome}.")
            answer["response"]["outcome"] = outcome([issue], "information")
        answers[result.index] = answer
    return answers


def _response(written: WriteResult) -> Json:
    match written.outcome:
        case "known":
            return {"status": _status(HTTPStatus.OK), "location": written.location}
        case "deleted":
            return {"status": _status(HTTPStatus.NO_CONTENT), **(_version(written) if written.version else {})}
    status = HTTPStatus.CREATED if written.outcome == "created" else HTTPStatus.OK
    return {"status": _status(status), "location": written.location, **_version(written)}


def _version(of: Resource | WriteResult) -> Json:
    return {"etag": f'W/"{of.version}"', "lastModified": instant(of.last_updated)}


def _bundle(kind: str, entries: Sequence[Json]) -> Json:
    bundle: Json = {"resourceType": "Bundle", "type": kind}
    return {**bundle, "entry": list(entries)} if entries else bundle


def _not_done(error: Refusal) -> Json:
    status, body = refusal_of(error)
    return {"response": {"status": _status(status), "outcome": body}}


def _status(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"
