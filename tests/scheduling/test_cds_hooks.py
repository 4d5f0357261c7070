"""Decision services (CDS Hooks, appointment-book): what they are asked, and what their cards do to a booking."""

import json
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, CdsService
from scheduling import booking, cds_hooks
from scheduling.access import Caller
from scheduling.booking import ConfirmRequest, RescheduleRequest
from scheduling.errors import RuleBroken
from tests.factories import CoverageFactory
from tests.receiver import receiving
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

ACME = {"label": "Acme Coverage"}
HINT = {"summary": "The plan needs no referral", "indicator": "info", "source": ACME}
STOP = {"summary": "The plan has ended", "detail": "**Ask** for another one.", "indicator": "critical", "source": ACME}
HINT_TEXT = "Acme Coverage: The plan needs no referral"
STOP_TEXT = "Acme Coverage: The plan has ended Ask for another one."


@pytest.fixture
def receiver(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.CDS_HOOKS_SECONDS = 2
    settings.SITE_URL = "https://clinic.example"
    with receiving() as receiver:
        receiver.body = json.dumps({"cards": [HINT]}).encode()
        yield receiver


@pytest.fixture
def decision_service(receiver):
    return CdsService.objects.create(name="Coverage", url=receiver.url)


def answer(receiver, *cards):
    receiver.body = json.dumps({"cards": list(cards)}).encode()


def test_a_booking_is_asked_about_with_what_the_hook_requires(service, chen, ada, receiver, decision_service):
    booked = book(wish(service, chen, at=monday(10), patient=ada))
    [request] = receiver.all()
    body = json.loads(request.body)
    assert (body["hook"], body["fhirServer"]) == ("appointment-book", "https://clinic.example/fhir/R4/")
    assert set(body) == {"hook", "hookInstance", "fhirServer", "context"}
    context = body["context"]
    assert (context["userId"], context["patientId"]) == (ada.reference, ada.fhir_id)
    [entry] = context["appointments"]["entry"]
    proposed = entry["resource"]
    assert (proposed["resourceType"], proposed["status"]) == ("Appointment", "proposed")
    assert (proposed["start"], proposed["end"]) == (instant(monday(10)), instant(monday(10, 30)))
    actors = {each["actor"]["reference"] for each in proposed["participant"]}
    assert actors == {chen.actor.reference, ada.reference}
    assert (booked.status, booked.cards, booked.warnings) == ("booked", (HINT_TEXT,), (HINT_TEXT,))


def test_the_request_is_signed_with_the_published_key(client, service, chen, ada, receiver, decision_service):
    book(wish(service, chen, at=monday(10), patient=ada))
    [request] = receiver.all()
    keys = client.get(cds_hooks.KEYS_PATH)
    token = JWT(jwt=request.headers["authorization"].removeprefix("Bearer "), key=JWKSet.from_json(keys.content))
    header, claims = json.loads(token.header), json.loads(token.claims)
    assert (header["alg"], header["typ"]) == ("RS384", "JWT")
    assert header["jku"] == f"https://clinic.example{cds_hooks.KEYS_PATH}"
    assert (claims["iss"], claims["aud"]) == ("https://clinic.example", receiver.url)
    assert 0 < claims["exp"] - claims["iat"] <= 300
    assert claims["jti"]
    assert "d" not in keys.json()["keys"][0]  # the private part


def test_records_are_sent_only_where_the_clinic_says_so(service, chen, ada, receiver, decision_service):
    coverage = CoverageFactory(beneficiary=ada)
    CdsService.objects.get().save()
    book(wish(service, chen, at=monday(10), patient=ada))
    decision_service.sends_records = True
    decision_service.save()
    book(wish(service, chen, at=monday(11), patient=ada))
    without, with_records = (json.loads(request.body) for request in receiver.all())
    assert "prefetch" not in without
    assert with_records["prefetch"]["patient"]["id"] == ada.fhir_id
    [entry] = with_records["prefetch"]["coverage"]["entry"]
    assert entry["resource"]["id"] == coverage.fhir_id


# The steps that are asked about


def test_a_hold_is_not_asked_about_but_its_confirmation_is(service, chen, ada, receiver, decision_service):
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    assert receiver.all() == []
    confirmed = booking.confirm(held.fhir_id, ConfirmRequest(), caller=SOFTWARE, now=timezone.now())
    assert (len(receiver.all()), confirmed.cards) == (1, (HINT_TEXT,))


def test_a_move_is_asked_about_at_its_new_time(service, chen, ada, receiver, decision_service):
    booked = book(wish(service, chen, at=monday(10), patient=ada))
    request = RescheduleRequest(offerings=wish(service, chen, at=monday(10)).offerings, start=monday(14))
    booking.reschedule(booked.fhir_id, request, caller=Caller(user=ada.user), now=timezone.now())
    *_, last = receiver.all()
    [entry] = json.loads(last.body)["context"]["appointments"]["entry"]
    assert entry["resource"]["start"] == instant(monday(14))


def test_nothing_is_locked_while_a_service_thinks(service, chen, ada, receiver, decision_service, monkeypatch):
    seen = []
    monkeypatch.setattr(
        cds_hooks, "ask", lambda *args, **named: seen.append(connection.in_atomic_block) or cds_hooks.NONE
    )
    book(wish(service, chen, at=monday(10), patient=ada))
    assert seen == [False]


# What cards do


def test_a_critical_card_is_only_shown_unless_the_clinic_lets_it_stop(
    service, chen, ada, receiver, decision_service, boss
):
    answer(receiver, STOP, HINT)
    request = wish(service, chen, at=monday(10), patient=ada)
    booked = book(request)
    assert booked.cards == (STOP_TEXT, HINT_TEXT)
    booking.cancel(booked.fhir_id, caller=SOFTWARE, now=timezone.now())

    decision_service.stops = True
    decision_service.save()
    with pytest.raises(RuleBroken, match="The plan has ended"):
        book(request)
    assert not Appointment.objects.filter(status="booked").exists()
    overridden = book(replace(request, override="She pays herself"), boss)
    assert (overridden.status, overridden.warnings) == ("booked", (STOP_TEXT, HINT_TEXT))


def test_a_hold_that_a_card_stops_stays_a_hold(service, chen, ada, receiver, decision_service):
    answer(receiver, STOP)
    CdsService.objects.update(stops=True)
    cds_hooks.forget_services()
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(RuleBroken, match="The plan has ended"):
        booking.confirm(held.fhir_id, ConfirmRequest(), caller=SOFTWARE, now=timezone.now())
    held.refresh_from_db()
    assert held.status == "pending"


# Services that fail


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"answers": [500]}, "The status is 500."),
        ({"body": b"<html>"}, "The answer is not a CDS Hooks response."),
        ({"body": b'{"cards": {}}'}, "The answer is not a CDS Hooks response."),
        ({"body": b'{"cards": [{"indicator": "critical"}]}'}, "A card has no summary."),
        ({"pause": 1.5}, "No answer came in time."),
    ],
)
def test_a_service_that_fails_or_is_slow_never_stops_a_booking(
    service, chen, ada, receiver, decision_service, settings, change, error
):
    settings.CDS_HOOKS_SECONDS = 1
    CdsService.objects.update(stops=True)
    cds_hooks.forget_services()
    for name, value in change.items():
        setattr(receiver, name, value)
    booked = book(wish(service, chen, at=monday(10), patient=ada))
    assert (booked.status, booked.cards) == ("booked", ())
    row = CdsService.objects.get()
    assert (row.failures, row.last_error) == (1, error)
    assert row.last_failed is not None


def test_one_that_fails_does_not_silence_another(service, chen, ada, receiver, decision_service):
    CdsService.objects.create(name="Away", url="http://127.0.0.1:9/cds")
    assert book(wish(service, chen, at=monday(10), patient=ada)).cards == (HINT_TEXT,)
    assert list(CdsService.objects.order_by("name").values_list("name", "failures")) == [("Away", 1), ("Coverage", 0)]


# Where nothing is registered


def test_without_a_service_nothing_is_read_or_called(service, chen, ada, receiver):
    request = wish(service, chen, at=monday(10), patient=ada)
    CdsService.objects.create(name="Off", url=receiver.url, active=False)
    cds_hooks.services()
    with CaptureQueriesContext(connection) as queries:
        book(request)
    assert not any("cdsservice" in query["sql"] for query in queries)
    assert receiver.all() == []


def test_a_service_is_asked_as_soon_as_it_is_saved_and_no_longer_once_it_is_deleted(service, chen, ada, receiver):
    assert cds_hooks.services() == ()
    row = CdsService.objects.create(name="Coverage", url=receiver.url)
    assert cds_hooks.services() == (row,)
    row.delete()
    assert cds_hooks.services() == ()
