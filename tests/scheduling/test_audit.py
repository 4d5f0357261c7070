"""The audit line: one function for all use cases, one answer to who acted."""

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clinic.models import AuditEvent
from scheduling import access
from scheduling.access import Caller
from tests.factories import PatientFactory, UserFactory

NOW = datetime(2031, 3, 3, 15, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


@pytest.mark.django_db
def test_an_audit_line_says_who_did_what_and_when():
    ada = PatientFactory(user=UserFactory())
    line = access.audit_event(
        "book", AuditEvent.Action.CREATE, caller=Caller(user=ada.user), now=NOW, patient_id=ada.pk, reason="A reason"
    )
    assert line.pk is None
    line.save()
    line.refresh_from_db()
    assert (line.subtype, line.action, line.recorded, line.last_updated) == ("book", "C", NOW, NOW)
    assert (line.user, line.client, line.patient, line.reason) == (ada.user, "", ada, "A reason")


@pytest.mark.parametrize(
    ("caller", "client"),
    [
        (Caller(client="software"), "software"),
        (Caller(client="s" * 120), "s" * 100),
        (Caller(guest="secret"), "guest"),
        (Caller(), "guest"),
        (Caller(visit="a-visit"), "manage link"),
        (Caller(visit="a-visit", guest="secret"), "manage link"),
    ],
)
def test_software_is_named_and_an_anonymous_caller_by_the_way_they_came(caller, client):
    line = access.audit_event("answer", AuditEvent.Action.UPDATE, caller=caller, now=NOW)
    assert (line.user, line.client) == (None, client)


@pytest.mark.django_db
def test_an_app_acts_for_a_person():
    user = UserFactory()
    for caller, client in ((Caller(user=user), ""), (Caller(user=user, client="app", guest="secret"), "app")):
        line = access.audit_event("cancel", AuditEvent.Action.UPDATE, caller=caller, now=NOW)
        assert (line.user, line.client) == (user, client)


def test_no_other_module_builds_audit_lines():
    def builds(path):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        return any(ast.unparse(each) in ("AuditEvent", "AuditEvent.objects.create") for each in calls)

    paths = [path for package in ("clinic", "scheduling", "api", "portal") for path in (ROOT / package).rglob("*.py")]
    assert [str(path.relative_to(ROOT)) for path in paths if builds(path)] == ["scheduling/access/audit.py"]
