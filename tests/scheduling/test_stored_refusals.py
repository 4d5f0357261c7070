"""Refusals of requests with an Idempotency-Key, as they are stored and read."""

from datetime import UTC, datetime

import pytest

from clinic.models import IdempotencyKey
from scheduling import booking, errors
from scheduling.booking import Once
from scheduling.booking.idempotency import use_case
from scheduling.errors import Issue, RuleBroken, SchedulingError

NOW = datetime(2031, 3, 3, 15, tzinfo=UTC)
# As release 0.1.0 stored them. Stored values stay, whatever the classes are called.
CODES = {
    "Invalid": errors.Invalid,
    "TooCostly": errors.TooCostly,
    "NotFound": errors.NotFound,
    "Forbidden": errors.Forbidden,
    "TimeTaken": errors.TimeTaken,
    "TimeNotOffered": errors.TimeNotOffered,
    "RuleBroken": errors.RuleBroken,
    "PaymentRequired": errors.PaymentRequired,
    "PatientElsewhere": errors.PatientElsewhere,
    "TooManyHolds": errors.TooManyHolds,
    "IllegalTransition": errors.IllegalTransition,
    "HoldExpired": errors.HoldExpired,
    "VersionConflict": errors.VersionConflict,
    "WrittenMeanwhile": errors.WrittenMeanwhile,
    "InUse": errors.InUse,
    "ScheduleBusy": errors.ScheduleBusy,
    "PluginUnavailable": errors.PluginUnavailable,
    "SchedulingError": errors.SchedulingError,
}
ISSUE = Issue("conflict", "That time is no longer free.", "Parameters.appt-id", '{"alternatives": []}')
ONCE = Once(owner="client:software", key="one", fingerprint="f", answer=lambda appointment: None)


def stored(answer):
    IdempotencyKey.objects.update_or_create(
        owner=ONCE.owner, key=ONCE.key, defaults={"fingerprint": "f", "created": NOW, "answer": answer}
    )


def recalled():
    with pytest.raises(SchedulingError) as raised:
        booking.recall(ONCE)
    return raised.value


def test_every_refusal_has_its_code():
    assert errors.STORED_CODES == CODES
    own = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SchedulingError)}
    assert set(CODES.values()) == own, "a new class needs a code, and a code stays when its class is renamed"


@pytest.mark.django_db
def test_a_refusal_that_an_earlier_release_stored_is_raised_again():
    for code, kind in CODES.items():
        stored({"refusal": {"kind": code, "issues": [["conflict", ISSUE.text, ISSUE.expression, ISSUE.diagnostics]]}})
        refusal = recalled()
        assert (type(refusal), refusal.issues, refusal.repeated) == (kind, (ISSUE,), True)


@pytest.mark.django_db
def test_a_code_of_a_later_release_is_a_refusal_all_the_same():
    stored({"refusal": {"kind": "moon-phase", "issues": [["processing", "The moon is full.", "", ""]]}})
    assert (type(recalled()), str(recalled())) == (SchedulingError, "The moon is full.")


@pytest.mark.django_db(transaction=True)
def test_the_code_that_is_stored_does_not_depend_on_the_name_of_the_class(monkeypatch):
    class RuleOfTheHouse(RuleBroken):
        """A refusal without a code of its own: the nearest base class's is stored."""

    class SlotGone(errors.SchedulingError):
        """A class that was renamed and kept its code."""

    monkeypatch.setitem(errors.STORED_CODES, "NoSlot", SlotGone)
    cases = [(RuleOfTheHouse("No."), "RuleBroken"), (SlotGone(), "NoSlot"), (errors.Invalid(), "Invalid")]
    for number, (refusal, code) in enumerate(cases):
        once = Once(owner="client:software", key=f"k{number}", fingerprint="f", answer=lambda appointment: None)

        @use_case
        def refuse(*, caller, now, once=None, refusal=refusal):
            raise refusal

        with pytest.raises(type(refusal)):
            refuse(caller=None, now=NOW, once=once)
        answer = IdempotencyKey.objects.get(key=once.key).answer
        assert answer["refusal"]["kind"] == code
