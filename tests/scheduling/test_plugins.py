"""Plug-ins are asked before a visit is held, booked, confirmed or moved, and never cost anybody a visit."""

import logging
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from clinic.models import Appointment, IdempotencyKey, PluginFailure
from scheduling import booking, plugins
from scheduling.access import Caller
from scheduling.booking import AlreadyAnswered, ConfirmRequest, Once, RescheduleRequest
from scheduling.errors import Forbidden, PluginUnavailable, RuleBroken, TimeTaken
from scheduling.plugins import BookingFacts, CallerFacts, Door, PatientFacts, ServiceFacts
from tests.factories import AppointmentFactory
from tests.scheduling.situations import NEW_YORK, SOFTWARE, at_once, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

MORNINGS = "plugin-new-patient-mornings"
REFUSAL = "New patients are seen in the morning. Choose a time before 12 noon."
WARNING = "The patient is new: plan ten minutes for the papers."
ONCE = Once(owner="client:software", key="one", fingerprint="f", answer=lambda appointment: appointment.fhir_id)

# Plug-ins, as source. Each of their calls is kept in `calls` of the module.
RECORDS = """
    calls = []

    class Rules(Plugin):
        def before_booking(self, facts):
            calls.append(facts)
            return ()
    """
RAISES = """
    class Rules(Plugin):
        def before_booking(self, facts):
            raise LookupError(facts.patients[0].reference)
    """
WAITS = """
    from threading import Event

    go_on = Event()
    calls = []

    class Rules(Plugin):
        def before_booking(self, facts):
            calls.append(facts)
            go_on.wait(20)
            yield PluginWarning("Too late to count.")
    """


@pytest.fixture
def quick_limit(settings):
    settings.PLUGIN_SECONDS = 0.05


def module(name):
    """The module of a plug-in that has been loaded."""
    loaded = {each.name: each.plugin for each in plugins.installed()}
    return __import__(type(loaded[name]).__module__)


def finish_calls():
    """Wait until the calls that bookings no longer wait for have ended."""
    for thread in threading.enumerate():
        if thread.name.startswith("plug-in "):
            thread.join(timeout=20)


def confirm(held, **request):
    return booking.confirm(held.fhir_id, ConfirmRequest(**request), caller=SOFTWARE, now=timezone.now())


def move(visit, offerings, at, **request):
    wanted = RescheduleRequest(offerings=offerings, start=at, **request)
    return booking.reschedule(visit.fhir_id, wanted, caller=SOFTWARE, now=timezone.now())


@pytest.mark.parametrize("use_case", [hold, book])
def test_a_refusal_has_the_words_of_the_plugin_and_nothing_is_taken(install, service, chen, ada, use_case):
    install.example(MORNINGS)
    with pytest.raises(RuleBroken) as refused:
        use_case(wish(service, chen, at=monday(12), patient=ada))
    assert [(issue.code, issue.text) for issue in refused.value.issues] == [("business-rule", REFUSAL)]
    assert not Appointment.objects.exists()
    assert use_case(wish(service, chen, at=monday(11, 30), patient=ada)).warnings == (WARNING,)


def test_a_patient_who_has_come_before_is_not_new(install, service, chen, ada):
    install.example(MORNINGS)
    AppointmentFactory(patient=ada, status="fulfilled", start=monday(9, days=-28))
    assert book(wish(service, chen, at=monday(12), patient=ada)).warnings == ()


def test_a_hold_is_judged_again_when_its_patient_is_known(install, service, chen, ada):
    install.example(MORNINGS)
    held = hold(wish(service, chen, at=monday(12)))
    with pytest.raises(RuleBroken, match=REFUSAL):
        confirm(held, patient=ada)
    held.refresh_from_db()
    assert held.status == "pending", "the patient may choose another time"
    with pytest.raises(RuleBroken, match=REFUSAL):
        confirm(held, patient=ada, release=True)
    held.refresh_from_db()
    assert (held.status, held.cancelation_reason) == ("cancelled", {"text": REFUSAL})


def test_the_hold_of_somebody_else_is_not_released_by_a_refusal(install, service, chen, ada):
    install.example(MORNINGS)
    held = hold(wish(service, chen, at=monday(12)), Caller(client="other", scopes=("system/*.cruds",)))
    with pytest.raises(TimeTaken):
        confirm(held, patient=ada, release=True)
    held.refresh_from_db()
    assert held.status == "pending"


def test_a_visit_that_may_not_be_moved_stays_where_it_is(install, service, chen, ada):
    install.example(MORNINGS)
    request = wish(service, chen, at=monday(10), patient=ada)
    visit = book(request)
    with pytest.raises(RuleBroken, match=REFUSAL):
        move(visit, request.offerings, monday(14))
    visit.refresh_from_db()
    assert visit.start == monday(10)
    assert move(visit, request.offerings, monday(11)).warnings == (WARNING,)


def test_taken_time_is_said_to_be_taken_whatever_the_plugin_says(install, service, chen, ada, bo):
    install.example(MORNINGS)
    AppointmentFactory(patient=bo, service=service, schedules=[chen], start=monday(12))
    with pytest.raises(TimeTaken):
        book(wish(service, chen, at=monday(12), patient=ada))


def test_a_refusal_is_the_answer_to_a_repeated_request_too(install, service, chen, ada):
    install.source("records", RECORDS)
    install.example(MORNINGS)
    request = wish(service, chen, at=monday(12), patient=ada)
    for _ in range(2):
        with pytest.raises(RuleBroken, match=REFUSAL):
            booking.book(request, caller=SOFTWARE, now=timezone.now(), once=ONCE)
    with pytest.raises(RuleBroken, match=REFUSAL):
        booking.recall(ONCE)


def test_the_same_request_several_times_at_once_books_one_visit(install, service, chen, ada):
    install.source("records", RECORDS)
    request = wish(service, chen, at=monday(10), patient=ada)

    def act():
        try:
            return booking.book(request, caller=SOFTWARE, now=timezone.now(), once=ONCE).fhir_id
        except AlreadyAnswered as before:
            return before.answer

    answers = at_once([act] * 4)
    assert answers == [Appointment.objects.get().fhir_id] * 4
    assert len(module("records").calls) == 4, "each was asked about, and that took nothing"


def test_staff_override_a_refusal_with_a_reason_and_read_it_as_a_warning(install, service, chen, ada, boss):
    install.example(MORNINGS)
    request = replace(wish(service, chen, at=monday(12), patient=ada), override="She travels tomorrow")
    assert book(request, boss).warnings == (REFUSAL, WARNING)
    with pytest.raises(Forbidden):
        book(request, SOFTWARE)


def test_the_facts(install, service, chen, ada):
    """References, plain values and local times: nothing that could be saved by accident."""
    install.source("records", RECORDS)
    service.type = [{"coding": [{"system": "https://example.org", "code": "check"}]}]
    service.save()
    ada.birth_date = None
    ada.extra = {"birthDate": "1985"}
    ada.save()
    patient = Caller(user=ada.user)
    with translation.override("es"):
        held = hold(wish(service, chen, at=monday(10), patient=ada), patient)
    start = monday(10).astimezone(NEW_YORK)
    facts = BookingFacts(
        step="hold",
        appointment="",
        service=ServiceFacts(reference=service.reference, name="Check-up", codes=(("https://example.org", "check"),)),
        start=start,
        end=start + timedelta(minutes=30),
        schedules=(chen.reference,),
        practitioners=(chen.actor.reference,),
        locations=(),
        patients=(PatientFacts(reference=ada.reference, born="1985", is_new=True),),
        caller=CallerFacts(door=Door.PATIENTS, person=ada.reference),
        override="",
        language="es",
    )
    calls = module("records").calls
    assert calls == [facts]
    assert calls[0].start.tzinfo == NEW_YORK
    booking.confirm(held.fhir_id, caller=patient, now=timezone.now())
    assert calls[1:] == [replace(facts, step="confirm", appointment=held.reference, language="en")]


def test_callers_are_told_apart(install, service, chen, ada, boss):
    install.source("records", RECORDS)
    book(wish(service, chen, at=monday(10), patient=ada), boss)
    hold(wish(service, chen, at=monday(11)), Caller(guest="a-browser"))
    hold(wish(service, chen, at=monday(12)), SOFTWARE)
    assert [call.caller for call in module("records").calls] == [
        CallerFacts(door=Door.STAFF),
        CallerFacts(door=Door.PATIENTS),
        CallerFacts(door=Door.API, client="software"),
    ]


def test_plugins_are_asked_outside_the_transaction(install, service, chen, ada):
    """No lock waits for a plug-in, and its own connection sees no transaction of the booking."""
    install.source(
        "looks",
        """
        from django.db import connection

        class Rules(Plugin):
            def before_booking(self, facts):
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT count(*) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
                    )
                    yield PluginWarning(f"{cursor.fetchone()[0]} transactions")
        """,
    )
    request = wish(service, chen, at=monday(10), patient=ada)
    visit = book(request)
    assert visit.warnings == ("0 transactions",)
    assert move(visit, request.offerings, monday(11)).warnings == ("0 transactions",)


def test_a_plugin_that_fails_is_named_and_costs_nobody_a_visit(install, service, chen, ada, caplog):
    install.source("broken-rule", RAISES)
    install.example(MORNINGS)
    with caplog.at_level(logging.ERROR):
        visit = book(wish(service, chen, at=monday(10), patient=ada))
    assert (visit.status, visit.warnings) == ("booked", (WARNING,))
    assert "Plug-in broken-rule: before_booking failed (LookupError)" in caplog.text
    book(wish(service, chen, at=monday(11), patient=ada))
    failure = PluginFailure.objects.get()
    assert (failure.plugin, failure.method, failure.error, failure.count) == (
        "broken-rule",
        "before_booking",
        "LookupError",
        2,
    )


@pytest.mark.parametrize("finding", ["'No.'", "None", "Issue('business-rule', 'No.')"])
def test_findings_of_another_kind_are_a_failure(install, service, chen, ada, finding):
    install.source(
        "odd",
        f"""
        from scheduling.errors import Issue

        class Rules(Plugin):
            def before_booking(self, facts):
                return [{finding}]
        """,
    )
    assert book(wish(service, chen, at=monday(10), patient=ada)).warnings == ()
    assert PluginFailure.objects.get().error == "TypeError"


def test_nothing_is_booked_without_the_answer_of_a_required_plugin(install, service, chen, ada, settings):
    settings.REQUIRED_PLUGINS = ["broken-rule"]
    install.source("broken-rule", RAISES)
    request = wish(service, chen, at=monday(10), patient=ada)
    with pytest.raises(PluginUnavailable):
        booking.book(request, caller=SOFTWARE, now=timezone.now(), once=ONCE)
    assert not Appointment.objects.exists()
    assert not IdempotencyKey.objects.exists(), "the same request can be sent again"


def test_a_required_plugin_that_is_not_installed_is_waited_for_too(install, service, chen, ada, settings):
    settings.REQUIRED_PLUGINS = ["coverage-check"]
    plugins.installed.cache_clear()
    with pytest.raises(PluginUnavailable):
        book(wish(service, chen, at=monday(10), patient=ada))
    failure = PluginFailure.objects.get()
    assert (failure.plugin, failure.error) == ("coverage-check", "NotInstalled")


@pytest.mark.parametrize(
    ("code", "error"),
    [("import nothing_of_this_name", "ModuleNotFoundError"), ("class Rules:\n    pass", "TypeError")],
)
def test_a_plugin_that_cannot_be_loaded_costs_nobody_a_visit(install, service, chen, ada, code, error):
    install.source("unloadable", code)
    assert book(wish(service, chen, at=monday(10), patient=ada)).status == "booked"
    assert PluginFailure.objects.get().error == error


def test_a_slow_plugin_is_not_waited_for(install, service, chen, ada, quick_limit):
    install.source("slow", WAITS)
    began = time.monotonic()
    assert book(wish(service, chen, at=monday(10), patient=ada)).status == "booked"
    assert time.monotonic() - began < 10, "the plug-in itself would take twenty seconds"
    assert PluginFailure.objects.get().error == "TooSlow"
    module("slow").go_on.set()
    finish_calls()


def test_a_plugin_that_hangs_is_called_only_a_few_times(install, service, chen, ada, quick_limit):
    install.source("slow", WAITS)
    for hour in (9, 10, 11, 12, 13, 14):
        book(wish(service, chen, at=monday(hour), patient=ada))
    slow = module("slow")
    assert (len(slow.calls), PluginFailure.objects.get().count) == (4, 6)
    slow.go_on.set()
    finish_calls()
    book(wish(service, chen, at=monday(15), patient=ada))
    finish_calls()
    assert len(slow.calls) == 5, "it is called again once the calls have ended"


def test_without_a_plugin_to_ask_no_statement_is_added(install, service, chen, ada):
    """An installed plug-in that has no rule before a booking costs nothing either."""

    def statements(hour):
        request = wish(service, chen, at=monday(hour), patient=ada)
        with CaptureQueriesContext(connection) as captured:
            book(request)
        return len(captured)

    statements(9)
    plain = statements(10)
    install.source("idle", "class Rules(Plugin):\n    pass")
    assert statements(11) == plain
    install.source("records", RECORDS)
    assert statements(13) == plain + 1, "whether the patient has come before"
