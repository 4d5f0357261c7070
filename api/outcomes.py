"""Refusals as HTTP: a status and an OperationOutcome: https://hl7.org/fhir/R4/operationoutcome.html"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Protocol
from uuid import NAMESPACE_OID, uuid5

from django.conf import settings
from django.core import signals
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError
from django.http import Http404
from django.utils.log import log_response
from rest_framework import exceptions
from rest_framework.response import Response

from clinic import database, exact_json
from clinic.fhir.issues import InvalidResource
from clinic.monitoring.refusals import count_refusal
from scheduling import errors
from scheduling.errors import Issue, SchedulingError
from scheduling.interactions import BundleRefused, Deleted, SeveralMatch

Json = dict[str, Any]
Refusal = SchedulingError | InvalidResource

STATUS: dict[type[SchedulingError], HTTPStatus] = {
    errors.SchedulingError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Invalid: HTTPStatus.BAD_REQUEST,
    errors.TooCostly: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.TimeTaken: HTTPStatus.CONFLICT,
    errors.TimeNotOffered: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RuleBroken: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.IllegalTransition: HTTPStatus.CONFLICT,
    errors.HoldExpired: HTTPStatus.CONFLICT,
    errors.VersionConflict: HTTPStatus.PRECONDITION_FAILED,
    errors.WrittenMeanwhile: HTTPStatus.CONFLICT,
    errors.InUse: HTTPStatus.CONFLICT,
    errors.ScheduleBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.PluginUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    BundleRefused: HTTPStatus.BAD_REQUEST,
    Deleted: HTTPStatus.GONE,
    SeveralMatch: HTTPStatus.PRECONDITION_FAILED,
}
# Statuses for issues of resources: a well-formed resource may still conflict with the data of this server.
STATUS_OF_ISSUE = {
    "business-rule": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invariant": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not-found": HTTPStatus.UNPROCESSABLE_ENTITY,
    "conflict": HTTPStatus.CONFLICT,
    "forbidden": HTTPStatus.FORBIDDEN,
    "deleted": HTTPStatus.GONE,
    "multiple-matches": HTTPStatus.PRECONDITION_FAILED,
    "processing": HTTPStatus.UNPROCESSABLE_ENTITY,
}
# Issue codes for refusals of the framework.
ISSUE_OF_STATUS = {
    HTTPStatus.UNAUTHORIZED: "login",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "not-supported",
    HTTPStatus.NOT_ACCEPTABLE: "not-supported",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "not-supported",
    HTTPStatus.TOO_MANY_REQUESTS: "throttled",
}


class AnyIssue(Protocol):
    """scheduling's Issue, or clinic.fhir's ResourceIssue."""

    @property
    def code(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def expression(self) -> str: ...


def outcome(issues: Iterable[AnyIssue], severity: str = "error") -> Json:
    return {"resourceType": "OperationOutcome", "issue": [_issue(each, severity) for each in issues]}


def outcome_entry(issues: Iterable[AnyIssue], severity: str = "information") -> Json:
    """The outcome entry of a searchset, which is not stored. Equal outcomes have the same URL."""
    body = outcome(issues, severity)
    url = f"urn:uuid:{uuid5(NAMESPACE_OID, exact_json.dumps(body).decode())}"
    return {"fullUrl": url, "resource": body, "search": {"mode": "outcome"}}


def handle_exception(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER.

    Every answer is an OperationOutcome. That of a bug has no details, and the bug is logged.
    """
    match error:
        case SchedulingError() | InvalidResource():
            count_refusal(error)
            status, body = refusal_of(error)
            retry = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
            return Response(body, status, headers=retry)
        case exceptions.APIException():
            return _of_framework(error)
        case Http404():
            return _refusal(HTTPStatus.NOT_FOUND, "not-found", "There is nothing here.")
        case PermissionDenied():
            return _refusal(HTTPStatus.FORBIDDEN, "forbidden", "You may not do this.")
        case RequestDataTooBig():
            return _refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too-long",
                f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.",
            )
        case SuspiciousOperation():
            return _refusal(HTTPStatus.BAD_REQUEST, "invalid", "The request cannot be read.")
        case DataError():
            return _refusal(HTTPStatus.BAD_REQUEST, "value", "A value is out of range.")
    if database.is_away(error):
        return _away(error, context)
    return _bug(error, context)


def refusal_of(error: Refusal) -> tuple[HTTPStatus, Json]:
    """Return the status and the OperationOutcome of an error."""
    return _status(error), outcome(error.issues)


def _status(error: Refusal) -> HTTPStatus:
    """Return the status. A Bundle has the status of its entries if they have one in common, except 404."""
    match error:
        case InvalidResource():
            return _one_of({STATUS_OF_ISSUE.get(issue.code, HTTPStatus.BAD_REQUEST) for issue in error.issues})
        case BundleRefused():
            return _one_of({_status(problem.error) for problem in error.problems} or {HTTPStatus.BAD_REQUEST})
    return status_of(type(error))


def status_of(kind: type[SchedulingError]) -> HTTPStatus:
    """Return the status of the nearest base class that has one."""
    return next(STATUS[each] for each in kind.__mro__ if each in STATUS)


def _issue(issue: AnyIssue, severity: str) -> Json:
    elements: Json = {"severity": severity, "code": issue.code, "details": {"text": issue.text}}
    if issue.expression:
        elements["expression"] = [issue.expression]
    if diagnostics := getattr(issue, "diagnostics", ""):
        elements["diagnostics"] = diagnostics
    return elements


def _one_of(statuses: set[HTTPStatus]) -> HTTPStatus:
    """Return one status for several errors: 400 first, because the client has to correct the form first."""
    if len(statuses) == 1:
        [only] = statuses
        return HTTPStatus.UNPROCESSABLE_ENTITY if only == HTTPStatus.NOT_FOUND else only
    return HTTPStatus.BAD_REQUEST if HTTPStatus.BAD_REQUEST in statuses else HTTPStatus.UNPROCESSABLE_ENTITY


def _of_framework(error: exceptions.APIException) -> Response:
    status = HTTPStatus(error.status_code)
    response = _refusal(status, ISSUE_OF_STATUS.get(status, "invalid"), str(error.detail))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(round(wait))
    return response


def _refusal(status: HTTPStatus, code: str, text: str) -> Response:
    return Response(outcome([Issue(code, text)]), status)


def _away(error: Exception, context: dict[str, Any]) -> Response:
    """Return 503 while a service is away: the request can be repeated unchanged, with the same Idempotency-Key."""
    database.drop_dead_connections()
    response = _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "transient", "The database cannot be reached. Try again soon.")
    response["Retry-After"] = database.RETRY_AFTER
    request = context["request"]._request
    log_response("%s: %s", type(error).__name__, request.path, response=response, request=request, exception=error)
    return response


def _bug(error: Exception, context: dict[str, Any]) -> Response:
    """Report a bug as Django does: to the log, and by the signal that its test client listens to."""
    request = context["request"]._request
    response = _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "exception", "Something went wrong here. It has been logged.")
    signals.got_request_exception.send(sender=type(context["view"]), request=request)
    log_response("%s: %s", type(error).__name__, request.path, response=response, request=request, exception=error)
    return response
