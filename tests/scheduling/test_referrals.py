"""A referral is the ticket of one visit: who may use it, for which visit, and what its referrer hears."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Communication, HealthcareService, ServiceRequest
from scheduling import booking, tasks
from scheduling.access import Caller
from scheduling.booking import BookingRequest, ReferralRequest
from scheduling.errors import Forbidden, NotFound, RuleBroken
from scheduling.notifications import Batch
from scheduling.referrals import ReferralState, read_referrals
from tests.factories import PatientFactory, ReferralFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.situations import SOFTWARE, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def service(service):
    service.bookable_by = HealthcareService.BookableBy.REFERRED
    service.save()
    return service


@pytest.fixture
def noor():
    """A referrer."""
    return UserFactory(email="noor@example.org", first_name="Noor", last_name="Grey", refers_for="Harbour Practice")


@pytest.fixture
def ticket(service, ada, noor):
    return ReferralFactory(service=service, patient=ada, referred_by=noor)


def with_ticket(ticket, schedule, at=None, **more) -> BookingRequest:
    extra = {"basedOn": [{"reference": ticket.reference}]}
    request = wish(more.pop("service", ticket.service), schedule, at=at or monday(10))
    return BookingRequest(**{**vars(request), "extra": extra, "patient": ticket.patient, **more})


def state(ticket):
    [referral] = read_referrals(ServiceRequest.objects.filter(pk=ticket.pk), now=timezone.now())
    return referral.state


def cancel(visit, caller=SOFTWARE):
    return booking.cancel(visit.fhir_id, caller=caller, now=timezone.now())


def mails():
    """The outcomes of which referrers are told, by address and what the email says."""
    found = Communication.objects.filter(event="referral").order_by("pk")
    return [(each.address, each.body.splitlines()[0].rpartition(". ")[2].strip(".")) for each in found]


def test_a_service_for_referred_patients_is_booked_with_a_referral_alone(service, chen, ada, bo, ticket):
    own = Caller(user=ada.user)
    with pytest.raises(Forbidden, match="is booked with a referral"):
        book(wish(service, chen, at=monday(10), patient=ada), own)
    with pytest.raises(Forbidden, match="is booked with a referral"):
        hold(wish(service, chen, at=monday(10)), Caller(guest="secret"))
    with pytest.raises(Forbidden, match="made for you"):
        book(with_ticket(ticket, chen), Caller(user=bo.user, tickets=frozenset({ticket.fhir_id})))

    visit = book(with_ticket(ticket, chen), own)

    assert (visit.status, visit.referral, visit.patient) == ("booked", ticket, ada)
    assert state(ticket) == ReferralState.BOOKED


@pytest.mark.parametrize("who", ["the holder of the link", "the referrer", "software", "an account with the link"])
def test_others_use_it_for_its_patient(who, chen, bo, ticket, noor):
    tickets = frozenset({ticket.fhir_id})
    callers = {
        "the holder of the link": Caller(guest="secret", tickets=tickets, proven_tickets=tickets),
        "the referrer": Caller(user=noor),
        "software": SOFTWARE,
        "an account with the link": Caller(user=bo.user, tickets=tickets, proven_tickets=tickets),
    }
    if who == "the referrer":  # at once: referrers see no visits
        booked = book(with_ticket(ticket, chen), callers[who])
    else:
        held = hold(with_ticket(ticket, chen), callers[who])
        booked = booking.confirm(held.fhir_id, caller=callers[who], now=timezone.now())
    assert (booked.status, booked.referral, booked.patient) == ("booked", ticket, ticket.patient)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"status": "revoked"}, "was withdrawn"),
        ({"status": "draft"}, "cannot be used yet"),
        ({"status": "completed"}, "booked with this referral already"),
        ({"valid_until": timezone.now() - timedelta(days=1)}, "has expired"),
    ],
)
def test_a_referral_that_is_not_open_gives_nothing(fields, refusal, chen, ticket):
    ServiceRequest.objects.filter(pk=ticket.pk).update(**fields)
    with pytest.raises(RuleBroken, match=refusal):
        book(with_ticket(ticket, chen))


def test_it_gives_one_visit_of_its_service_for_its_patient(chen, bo, ticket):
    other = ServiceFactory()
    ScheduleFactory(actor=chen.actor, services=[other])
    with pytest.raises(RuleBroken, match="another kind of visit"):
        book(with_ticket(ticket, other.schedules.get(), service=other))
    with pytest.raises(RuleBroken, match="another person"):
        book(with_ticket(ticket, chen, patient=bo))
    book(with_ticket(ticket, chen))
    with pytest.raises(RuleBroken, match="already"):
        book(with_ticket(ticket, chen, at=monday(14)))
    assert Appointment.objects.count() == 1


def test_the_database_gives_a_ticket_to_one_visit_whoever_writes(chen, ticket):
    book(with_ticket(ticket, chen))
    other = book(wish(ticket.service, chen, at=monday(14), patient=PatientFactory()))
    with pytest.raises(IntegrityError, match="appointment_one_for_a_ticket"), transaction.atomic():
        Appointment.objects.filter(pk=other.pk).update(referral=ticket)


def test_moving_keeps_it_and_cancelling_frees_it(service, chen, ada, ticket):
    own = Caller(user=ada.user)
    visit = book(with_ticket(ticket, chen), own)
    later = wish(service, chen, at=monday(14))
    moved = booking.reschedule(
        visit.fhir_id,
        booking.RescheduleRequest(offerings=later.offerings, start=later.start),
        caller=own,
        now=timezone.now(),
    )
    assert (moved.start, moved.referral, state(ticket)) == (monday(14), ticket, ReferralState.BOOKED)

    cancel(visit, own)

    assert state(ticket) == ReferralState.OPEN
    again = book(with_ticket(ticket, chen), own)
    with pytest.raises(RuleBroken, match="already"):
        booking.restore(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert (again.status, Appointment.objects.filter(status="booked").count()) == ("booked", 1)


def test_a_hold_uses_it_until_it_expires(chen, ticket):
    first, second = Caller(guest="first", proven_tickets=frozenset({ticket.fhir_id})), SOFTWARE
    held = hold(with_ticket(ticket, chen), first)
    with pytest.raises(RuleBroken, match="already"):
        book(with_ticket(ticket, chen, at=monday(14)), second)
    assert state(ticket) == ReferralState.OPEN

    run_out(held)

    assert book(with_ticket(ticket, chen, at=monday(14)), second).referral == ticket
    assert Appointment.objects.get(pk=held.pk).status == "pending", "no worker has released it yet"


def test_choosing_another_time_keeps_it(chen, ticket):
    guest = Caller(guest="secret", proven_tickets=frozenset({ticket.fhir_id}))
    held = hold(with_ticket(ticket, chen), guest)
    instead = booking.hold(
        with_ticket(ticket, chen, at=monday(14)), caller=guest, now=timezone.now(), instead_of=held.fhir_id
    )
    assert (instead.referral, instead.start) == (ticket, monday(14))


def test_a_referral_that_names_nobody_becomes_that_of_the_patient(chen, ada, bo, noor, service):
    ticket = ReferralFactory(service=service, patient=None, referred_by=noor)
    held = hold(with_ticket(ticket, chen), Caller(guest="secret", tickets=frozenset({ticket.fhir_id})))
    guest = PatientFactory()
    caller = Caller(guest="secret", tickets=frozenset({ticket.fhir_id}))
    booking.name_patient(held.fhir_id, guest, caller=caller, now=timezone.now())
    booking.confirm(held.fhir_id, caller=caller, now=timezone.now())
    ticket.refresh_from_db()
    assert (ticket.patient, ticket.version) == (guest, 2)

    held = hold(with_ticket(ReferralFactory(service=service, patient=ada), chen, at=monday(14)))
    with pytest.raises(RuleBroken, match="another person"):
        booking.name_patient(held.fhir_id, bo, caller=SOFTWARE, now=timezone.now())


def test_a_visit_keeps_its_referral_and_a_series_has_none(chen, ticket):
    visit = book(with_ticket(ticket, chen))
    other = ReferralFactory(service=ticket.service, patient=ticket.patient)
    with pytest.raises(RuleBroken, match="keeps its referral"):
        booking.annotate(
            visit.fhir_id, {"basedOn": [{"reference": other.reference}]}, caller=SOFTWARE, now=timezone.now()
        )
    first = with_ticket(other, chen, at=monday(14))
    series = booking.SeriesRequest(first=first, starts=(monday(14), monday(14, days=7)), zone=monday(14).tzinfo)
    with pytest.raises(RuleBroken, match="one visit and no series"):
        booking.book_series(series, caller=SOFTWARE, now=timezone.now())


def test_a_referrer_makes_and_withdraws_their_own(service, noor, ada, rana, site):
    ScheduleFactory(services=[service], site=site)
    now = timezone.now()
    request = ReferralRequest(
        service=service,
        reason="A mole that has changed",
        valid_until=now + timedelta(days=30),
        patient_name="Ada Quinn",
        register=lambda: ada,
        documents=({"contentType": "application/pdf", "title": "Letter.pdf", "data": "JVBERi0="},),
    )
    with pytest.raises(Forbidden, match="Only referrers"):
        booking.refer(request, caller=Caller(user=ada.user), now=now)

    made = booking.refer(request, caller=Caller(user=noor), now=now)

    assert (made.patient, made.patient_name, made.referrer) == (ada, "Ada Quinn", "Noor Grey, Harbour Practice")
    assert made.extra["contained"][0]["content"][0]["attachment"]["title"] == "Letter.pdf"
    stranger = Caller(user=UserFactory(refers_for="Elsewhere"))
    with pytest.raises(NotFound):
        booking.withdraw(made.fhir_id, caller=stranger, now=now)
    assert booking.withdraw(made.fhir_id, caller=Caller(user=noor), now=now).status == "revoked"
    with pytest.raises(RuleBroken, match="ended already"):
        booking.withdraw(made.fhir_id, caller=Caller(user=rana), now=now)
    lines = AuditEvent.objects.filter(target=made.reference).order_by("pk")
    assert [(line.subtype, line.user, line.patient) for line in lines] == [
        ("refer", noor, ada),
        ("withdraw", noor, ada),
    ]


def test_what_is_booked_is_not_withdrawn(chen, ticket, noor):
    visit = book(with_ticket(ticket, chen))
    with pytest.raises(RuleBroken, match="Cancel the visit first"):
        booking.withdraw(ticket.fhir_id, caller=Caller(user=noor), now=timezone.now())
    cancel(visit)
    assert booking.withdraw(ticket.fhir_id, caller=Caller(user=noor), now=timezone.now()).status == "revoked"


def test_the_referrer_hears_what_became_of_it(service, chen, ticket, mailoutbox):
    visit = book(with_ticket(ticket, chen))
    cancel(visit)
    visit = book(with_ticket(ticket, chen))
    Appointment.objects.filter(pk=visit.pk).update(start=timezone.now() - timedelta(hours=1))
    booking.change_status(visit.fhir_id, "noshow", caller=SOFTWARE, now=timezone.now())
    assert state(ticket) == ReferralState.NO_SHOW
    booking.change_status(
        book(
            with_ticket(ReferralFactory(service=service, referred_by=ticket.referred_by), chen, at=monday(14))
        ).fhir_id,
        "entered-in-error",
        caller=SOFTWARE,
        now=timezone.now(),
    )
    told = [text for address, text in mails() if address == "noor@example.org"]
    assert told == [
        "The visit is booked",
        "The visit was cancelled",
        "The visit is booked",
        "The patient did not come to the visit",
        "The visit is booked",
    ]

    batch = Batch(now=timezone.now() + timedelta(minutes=5))
    while batch.deliver_next(now=timezone.now() + timedelta(minutes=5)):
        pass

    letters = [mail for mail in mailoutbox if mail.to == ["noor@example.org"]]
    assert (
        letters[0].subject == f"Your referral {ticket.fhir_id.replace('-', '')[:8].upper()} to {settings.CLINIC_NAME}"
    )
    for letter in letters:
        for word in ("Ada", "Quinn", "mole", service.name):
            assert word not in letter.body, "nothing about the patient or the illness"
    assert f"/referrals/{ticket.fhir_id}/" in letters[0].body


def test_done_completes_it_and_a_slip_is_taken_back(chen, ticket):
    visit = book(with_ticket(ticket, chen))
    Appointment.objects.filter(pk=visit.pk).update(start=timezone.now() - timedelta(hours=1))
    booking.change_status(visit.fhir_id, "fulfilled", caller=SOFTWARE, now=timezone.now())
    ticket.refresh_from_db()
    assert (ticket.status, state(ticket)) == ("completed", ReferralState.DONE)
    assert mails()[-1][1] == "The visit has taken place"


def test_the_referrer_hears_once_that_it_ended_unused(service, chen, noor, ticket):
    unused = ReferralFactory(service=service, referred_by=noor)
    book(with_ticket(ticket, chen))
    ServiceRequest.objects.update(valid_until=timezone.now() - timedelta(minutes=1))
    before = len(mails())

    tasks.tell_of_ended_referrals()
    tasks.tell_of_ended_referrals()

    assert mails()[before:] == [("noor@example.org", "It has ended, and no visit was booked")]
    assert (state(unused), state(ticket)) == (ReferralState.EXPIRED, ReferralState.BOOKED)


def test_guesses_of_the_birth_date_are_counted(ticket, ada):
    ada.birth_date = "1980-05-01"
    ada.save()
    ada.refresh_from_db()

    def is_right(born):
        return booking.is_birth_date_of_referral(ticket.fhir_id, born, caller=Caller(), now=timezone.now())

    assert is_right(ada.birth_date)
    for days in range(5):
        assert not is_right(ada.birth_date + timedelta(days=days + 1))
    with pytest.raises(RuleBroken, match="Too many wrong attempts"):
        is_right(ada.birth_date)
