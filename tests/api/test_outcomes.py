"""Every refusal has a status: https://hl7.org/fhir/R4/http.html#summary"""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404
from rest_framework.exceptions import Throttled

from api import search
from api.outcomes import STATUS, status_of
from clinic.fhir.issues import InvalidResource, ResourceIssue
from scheduling import errors, interactions
from scheduling.errors import Issue, SchedulingError, TimeNotOffered
from tests.api.conftest import Api, codes, texts


def kinds(kind=SchedulingError):
    for each in kind.__subclasses__():
        yield each
        yield from kinds(each)


@pytest.mark.parametrize("kind", list(kinds()))
def test_every_kind_of_refusal_has_a_status(kind):
    assert any(each in STATUS for each in kind.__mro__ if each is not SchedulingError)
    assert 400 <= status_of(kind) < 504


@pytest.fixture
def refused(api, monkeypatch):
    """Return the response of a search that raises this error."""

    def run(error):
        def fail(*args, **named):
            raise error

        monkeypatch.setattr(search, "answer", fail)
        return api.get("Patient")

    return run


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Invalid("x"), 400, "invalid"),
        (errors.NotFound(), 404, "not-found"),
        (errors.Forbidden(), 403, "forbidden"),
        (errors.TimeTaken(), 409, "conflict"),
        (errors.TimeNotOffered(), 422, "business-rule"),
        (errors.RuleBroken(), 422, "business-rule"),
        (errors.IllegalTransition("booked", "proposed"), 409, "conflict"),
        (errors.HoldExpired(), 409, "expired"),
        (errors.VersionConflict(), 412, "conflict"),
        (errors.ScheduleBusy(), 503, "lock-error"),
        (interactions.SeveralMatch(), 412, "multiple-matches"),
        (errors.WrittenMeanwhile(), 409, "conflict"),
        (InvalidResource([ResourceIssue("required", "x", "Slot.start")]), 400, "required"),
        (InvalidResource([ResourceIssue("not-found", "x", "Slot.schedule")]), 422, "not-found"),
        (Http404(), 404, "not-found"),
        (PermissionDenied(), 403, "forbidden"),
        (Throttled(wait=7), 429, "throttled"),
        (DataError(), 400, "value"),
    ],
)
def test_statuses_and_codes(refused, error, status, code):
    response = refused(error)
    assert (response.status_code, codes(response)) == (status, [code])


def test_a_temporary_refusal_has_retry_after(refused):
    assert refused(errors.ScheduleBusy())["Retry-After"] == "1"
    assert refused(Throttled(wait=7))["Retry-After"] == "7"


def test_every_issue_says_what_and_where(refused):
    issues = [Issue("business-rule", "Closed.", "Schedule/a"), Issue("conflict", "Taken.", "Schedule/b")]
    response = refused(TimeNotOffered(issues=issues))
    assert response.fhir["issue"] == [
        {"severity": "error", "code": each.code, "details": {"text": each.text}, "expression": [each.expression]}
        for each in issues
    ]


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_is_logged_and_says_nothing(refused, api, settings, caplog, debug):
    settings.DEBUG = debug
    api.client.raise_request_exception = False
    response = refused(ZeroDivisionError("the secret"))
    assert (response.status_code, codes(response)) == (500, ["exception"])
    assert "secret" not in texts(response)
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info[1].args == ("the secret",)


def test_a_bug_is_loud_in_tests(refused):
    with pytest.raises(ZeroDivisionError):
        refused(ZeroDivisionError())


def test_a_refusal_without_a_valid_token_has_no_details(db):
    assert codes(Api().post("Patient", "[")) == ["login"]
