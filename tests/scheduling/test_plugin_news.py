"""Plug-ins are told of visits by the worker, after the commit: at least once, in order, and each for itself."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from clinic.models import EventConsumer, EventDelivery, EventReceiver, PluginFailure
from scheduling import booking, plugins, receivers, tasks
from scheduling.booking import RescheduleRequest
from scheduling.plugins import VisitNews
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

RECORDS = """
    calls = []

    class Rules(Plugin):
        def after_booked(self, news):
            calls.append(("after_booked", news))

        def after_moved(self, news):
            calls.append(("after_moved", news))

        def after_cancelled(self, news):
            calls.append(("after_cancelled", news))

        def after_arrived(self, news):
            calls.append(("after_arrived", news))
    """
FAILS_AT_FIRST = """
    failures = [LookupError(), LookupError()]
    calls = []

    class Rules(Plugin):
        def after_booked(self, news):
            if failures:
                raise failures.pop()
            calls.append((news.kind, news.appointment))

        def after_moved(self, news):
            calls.append((news.kind, news.appointment))
    """


def module(name):
    """The module of a plug-in that has been loaded."""
    loaded = {each.name: each.plugin for each in plugins.installed()}
    return __import__(type(loaded[name]).__module__)


def tell(now=None) -> None:
    now = now or timezone.now()
    receivers.collect(now=now)
    while receivers.deliver_next(now=now):
        pass


def move(visit, request, at):
    moved = RescheduleRequest(offerings=request.offerings, start=at)
    return booking.reschedule(visit.fhir_id, moved, caller=SOFTWARE, now=timezone.now())


def test_a_plugin_is_told_of_each_step_of_a_visit(install, service, chen, ada):
    install.source("records", RECORDS)
    tasks.tell_receivers()
    request, now = wish(service, chen, at=monday(10), patient=ada), timezone.now()
    visit = booking.book(request, caller=SOFTWARE, now=now)
    tasks.tell_receivers()
    move(visit, request, monday(11))
    tasks.tell_receivers()
    booking.change_status(visit.fhir_id, "arrived", caller=SOFTWARE, now=monday(10, 50))
    booking.change_status(visit.fhir_id, "fulfilled", caller=SOFTWARE, now=monday(11, 30))
    tasks.tell_receivers()
    other = book(wish(service, chen, at=monday(14), patient=ada))
    booking.cancel(other.fhir_id, caller=SOFTWARE, now=timezone.now())
    tasks.tell_receivers()

    calls = module("records").calls
    assert [(method, news.appointment) for method, news in calls] == [
        ("after_booked", visit.reference),
        ("after_moved", visit.reference),
        ("after_arrived", visit.reference),
        ("after_booked", other.reference),
        ("after_cancelled", other.reference),
    ]
    first = calls[0][1]
    assert first == VisitNews(
        kind="booked",
        occurred=now.replace(microsecond=now.microsecond // 1000 * 1000),
        appointment=visit.reference,
        version=1,
        status="booked",
        start=monday(10),
        end=monday(10, 30),
        service=service.reference,
        patients=(ada.reference,),
        practitioners=(chen.actor.reference,),
        locations=(),
    )
    assert first.start.tzinfo is UTC


def test_a_failed_call_is_repeated_in_order_and_named(install, service, chen, ada, bo):
    install.source("fails-at-first", FAILS_AT_FIRST)
    install.source("records", RECORDS)
    tell()
    request = wish(service, chen, at=monday(10), patient=ada)
    visit, now = book(request), timezone.now()
    tell(now)
    move(visit, request, monday(11))
    for later in (5 * MINUTE, 10 * MINUTE, HOUR):
        tell(now + later)

    assert module("fails-at-first").calls == [("booked", visit.reference), ("moved", visit.reference)]
    assert [method for method, _ in module("records").calls] == ["after_booked", "after_moved"]
    failure = PluginFailure.objects.get()
    assert (failure.plugin, failure.method, failure.error, failure.count) == (
        "fails-at-first",
        "after_booked",
        "LookupError",
        2,
    )


def test_a_plugin_is_never_given_up(install, service, chen, ada):
    install.source(
        "always-fails",
        """
        class Rules(Plugin):
            def after_booked(self, news):
                raise LookupError
        """,
    )
    tell()
    book(wish(service, chen, at=monday(10), patient=ada))
    now = timezone.now()
    for hours in range(40):
        tell(now + hours * HOUR)
    told = EventDelivery.objects.get()
    assert (told.status, told.attempts, told.error) == ("failed", 8, "It could not be told (LookupError).")
    assert EventReceiver.objects.get().active


def test_a_worker_without_the_plugin_keeps_its_events(install, service, chen, ada):
    install.source("records", RECORDS)
    tell()
    book(wish(service, chen, at=monday(10), patient=ada))
    EventReceiver.objects.update(plugin="elsewhere")
    tell()
    assert module("records").calls == []
    told = EventDelivery.objects.get(receiver__plugin="elsewhere")
    assert (told.status, told.error) == ("waiting", "It could not be told (NotInstalled).")


def test_a_plugin_without_such_a_method_is_no_receiver(install):
    install.example("plugin-new-patient-mornings")
    tell()
    assert not EventReceiver.objects.exists()
    assert not EventConsumer.objects.exists()
