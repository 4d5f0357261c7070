"""Group visits: one Appointment with several patients, each with their own seat, messages and view of it.

http://fhir.org/guides/argonaut-scheduling and https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.participant
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, AuditEvent, Communication, Patient, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking.patients import are_family
from scheduling.errors import Forbidden, RuleBroken
from scheduling.notifications import Batch, links
from tests.api.conftest import Api, codes, ids
from tests.api.dialects import OFFICE_VISIT, matches, offer, parameters, reference, window
from tests.api.visits import BOOK, HOLD, found, proposal, visit
from tests.factories import PatientFactory, RelatedPersonFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def service(db):
    """A class for five."""
    return ServiceFactory(name="Class", capacity=5)


@pytest.fixture
def schedule(service, chen, site):
    return ScheduleFactory(actor=chen, site=site, services=[service])


@pytest.fixture
def cleo(db):
    return PatientFactory(given="Cleo", family="Marsh", user=UserFactory())


def coming(patient):
    return {"actor": {"reference": patient.reference}, "status": "accepted"}


@pytest.fixture
def together(api, service, schedule, ada, bo, cleo):
    """The visit of Ada, Bo and Cleo."""
    proposed = proposal(api, service, schedule)
    proposed["participant"] += [coming(patient) for patient in (ada, bo, cleo)]
    return Appointment.objects.get(fhir_id=visit(api.post(BOOK, proposed))["id"])


def seats(appointment):
    return sorted(Slot.objects.filter(appointment=appointment, deleted_at=None).values_list("seat", flat=True))


def statuses(appointment):
    return {each["actor"]["reference"]: each["status"] for each in appointment.participant}


def recipients_of(event):
    messages = Communication.objects.filter(event=event, medium="email", status="preparation")
    return set(messages.values_list("patient__given", flat=True))


def check(together, ada, bo, cleo):
    """One Appointment with three patients, on three seats, with a message and an audit line for each."""
    assert Appointment.objects.count() == 1
    assert {statuses(together)[patient.reference] for patient in (ada, bo, cleo)} == {"accepted"}
    assert seats(together) == [0, 1, 2]
    assert recipients_of("confirmation") == {"Ada", "Bo", "Cleo"}
    lines = AuditEvent.objects.filter(appointment=together, subtype="book")
    assert set(lines.values_list("patient", flat=True)) == {ada.pk, bo.pk, cleo.pk}


def test_a_patient_who_is_named_by_an_address_counts_too(api, service, schedule, ada, bo):
    proposed = proposal(api, service, schedule)
    address = {"reference": f"http://testserver/fhir/R4/{bo.reference}"}
    proposed["participant"] += [coming(ada), {"actor": address, "status": "accepted"}]
    booked = Appointment.objects.get(fhir_id=visit(api.post(BOOK, proposed))["id"])
    assert (seats(booked), statuses(booked)[bo.reference]) == ([0, 1], "accepted")
    assert Api(user=bo.user).get(booked.reference).status_code == 200


def test_medplum_books_one_visit_for_all(together, ada, bo, cleo):
    check(together, ada, bo, cleo)


def test_argonaut_books_one_visit_for_all(api, service, schedule, ada, bo, cleo):
    found_time = offer(api, practitioner=schedule.actor.reference)
    patients = [{"reference": patient.reference} for patient in (ada, bo, cleo)]
    answer = api.post(f"{reference(found_time)}/$book", parameters(patient_id=patients))
    assert [each["status"] for each in matches(answer)] == ["booked"]
    check(Appointment.objects.get(), ada, bo, cleo)


def test_a_plain_appointment_books_one_visit_for_all(api, service, schedule, ada, bo, cleo):
    type(service).objects.filter(pk=service.pk).update(type=[OFFICE_VISIT])
    free = {each["start"]: each for each in matches(api.get("Slot/$prefetch", window()))}
    sent = {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": f"Slot/{free[instant(monday(10))]['id']}"}],
        "participant": [*map(coming, (ada, bo, cleo))],
    }
    assert api.post("Appointment", sent).status_code == 201
    check(Appointment.objects.get(), ada, bo, cleo)


def test_argonaut_holds_a_time_for_all_and_books_it_for_them(api, schedule, ada, bo, cleo):
    found_time = offer(api, practitioner=schedule.actor.reference)
    resource = {**found_time, "participant": [*found_time["participant"], coming(ada), coming(bo)]}
    del resource["id"]
    [held] = matches(api.post(HOLD, parameters(appt_resource=resource)))
    assert seats(Appointment.objects.get()) == [0, 1]
    refused = api.post(f"{reference(held)}/$book", parameters(patient_id=[{"reference": cleo.reference}]))
    assert matches(refused)[0]["status"] == "cancelled"
    [held] = matches(api.post(HOLD, parameters(appt_resource=resource)))
    both = [{"reference": patient.reference} for patient in (bo, ada)]
    assert matches(api.post(f"{reference(held)}/$book", parameters(patient_id=both)))[0]["status"] == "booked"


def test_each_finds_the_visit_and_sees_none_of_the_others(together, ada, bo, cleo):
    for patient, others in ((ada, (bo, cleo)), (bo, (ada, cleo)), (cleo, (ada, bo))):
        api = Api(user=patient.user)
        for path in (
            f"Appointment?patient={patient.reference}",
            "Appointment",
            f"{together.reference}/_history",
            f"Appointment?_include=Appointment:actor&patient={patient.reference}",
        ):
            answer = str(api.get(path).fhir)
            assert patient.reference in answer, path
            assert [each for each in others if each.reference in answer or each.family in answer] == [], path
        assert api.get(together.reference).status_code == 200
        assert len(ids(api.get("Slot?status=busy"))) == 3
        assert ids(api.get(f"Appointment?patient={others[0].reference}")) == []
    assert Api(user=PatientFactory(user=UserFactory()).user).get(together.reference).status_code == 404


def test_staff_and_software_see_all(api, together, rana, ada, bo, cleo):
    for caller in (api, Api(user=rana)):
        answer = str(caller.get(together.reference).fhir)
        assert all(patient.reference in answer for patient in (ada, bo, cleo))
        assert ids(caller.get(f"Appointment?patient={cleo.reference}")) == [together.fhir_id]


def test_disclosures_are_recorded_for_each_patient(api, together, ada, bo, cleo):
    api.get(together.reference)
    lines = AuditEvent.objects.filter(target=together.reference, subtype="read")
    assert set(lines.values_list("patient", flat=True)) == {ada.pk, bo.pk, cleo.pk}


LEAVING = {
    "cancel": lambda api, together, patient: api.post(f"{together.reference}/$cancel"),
    "patch": lambda api, together, patient: api.patch(
        together.reference, [{"op": "replace", "path": "/status", "value": "cancelled"}]
    ),
    "response": lambda api, together, patient: api.post(
        "AppointmentResponse",
        {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": together.reference},
            "actor": {"reference": patient.reference},
            "participantStatus": "declined",
        },
    ),
}


@pytest.mark.parametrize("how", LEAVING)
@pytest.mark.parametrize("first", [True, False], ids=["the first", "another"])
def test_a_patient_who_cancels_leaves_alone(together, schedule, ada, bo, cleo, how, first):
    patient, stays = (ada, bo) if first else (bo, ada)
    assert LEAVING[how](Api(user=patient.user), together, patient).status_code in (200, 201)
    together.refresh_from_db()
    assert (together.status, together.patient) == ("booked", stays)
    assert statuses(together)[patient.reference] == "declined"
    assert statuses(together)[stays.reference] == statuses(together)[cleo.reference] == "accepted"
    assert seats(together) == [0, 1]
    assert recipients_of("cancellation") == {patient.given}
    assert recipients_of("confirmation") == {stays.given, "Cleo"}
    left = AuditEvent.objects.get(appointment=together, subtype="leave")
    assert left.patient == patient
    theirs = Api(user=patient.user).get(together.reference).fhir
    assert {each["actor"]["reference"]: each["status"] for each in theirs["participant"]}[
        patient.reference
    ] == "declined"
    assert book(wish(together.service, schedule, at=monday(10), patient=patient))


def test_the_last_who_cancels_cancels_the_visit(together, ada, bo, cleo):
    for patient in (ada, bo, cleo):
        Api(user=patient.user).post(f"{together.reference}/$cancel")
    together.refresh_from_db()
    assert (together.status, seats(together)) == ("cancelled", [])
    assert recipients_of("cancellation") == {"Ada", "Bo", "Cleo"}


def test_staff_cancel_the_whole_and_restore_it(together, rana, ada, bo, cleo):
    Api(user=bo.user).post(f"{together.reference}/$cancel")
    assert Api(user=rana).post(f"{together.reference}/$cancel").status_code == 200
    together.refresh_from_db()
    assert (together.status, recipients_of("cancellation")) == ("cancelled", {"Ada", "Bo", "Cleo"})
    restored = booking.restore(together.fhir_id, caller=Caller(user=rana), now=timezone.now())
    assert (seats(restored), statuses(restored)[bo.reference]) == ([0, 1], "declined")
    assert {statuses(restored)[ada.reference], statuses(restored)[cleo.reference]} == {"accepted"}


def test_a_patient_moves_no_visit_of_others(together, schedule, rana, ada):
    move = booking.RescheduleRequest(
        offerings=wish(together.service, schedule, at=monday(11)).offerings,
        start=monday(11),
    )
    with pytest.raises(RuleBroken, match="Others come"):
        booking.reschedule(together.fhir_id, move, caller=Caller(user=ada.user), now=timezone.now())
    moved = booking.reschedule(together.fhir_id, move, caller=Caller(user=rana), now=timezone.now())
    assert (moved.start, seats(moved)) == (monday(11), [0, 1, 2])
    assert recipients_of("change") == {"Ada", "Bo", "Cleo"}


def test_seats_are_counted(api, service, schedule, ada, bo, cleo, together):
    """A group takes one seat for each patient: two fit in beside three of five, three do not."""
    people = PatientFactory.create_batch(3)
    proposed = proposal(api, service, schedule)
    resource = {**proposed, "participant": [*proposed["participant"], *map(coming, people)]}
    refused = api.post(BOOK, resource)
    assert (refused.status_code, set(codes(refused))) == (409, {"conflict"})
    resource["participant"].pop()
    assert api.post(BOOK, resource).status_code == 201
    assert instant(monday(10)) not in [each["start"] for each in found(api, service, schedule)]


@pytest.mark.parametrize("problem", ["died", "inactive", "elsewhere", "too old"])
def test_the_rules_are_judged_for_each(api, service, schedule, ada, bo, problem):
    if problem == "died":
        Patient.objects.filter(pk=bo.pk).update(extra={"deceasedBoolean": True})
    elif problem == "inactive":
        Patient.objects.filter(pk=bo.pk).update(active=False)
    elif problem == "elsewhere":
        other = ServiceFactory()
        book(wish(other, ScheduleFactory(services=[other]), at=monday(10), patient=bo))
    else:
        type(service).objects.filter(pk=service.pk).update(maximum_age=17)
        Patient.objects.filter(pk=ada.pk).update(birth_date=timezone.now().date() - timedelta(days=3000))
        Patient.objects.filter(pk=bo.pk).update(birth_date=date(1980, 1, 1))
    proposed = proposal(api, service, schedule)
    proposed["participant"] += [coming(ada), coming(bo)]
    refused = api.post(BOOK, proposed)
    assert (refused.status_code, set(codes(refused))) == (422, {"business-rule"})
    assert not Appointment.objects.filter(service=service).exists()


def test_a_visit_for_one_is_for_a_family_too(api, chen, site, ada, bo):
    """Nobody else shares it: it takes one Slot, which takes all of the practitioner's time."""
    service = ServiceFactory(name="Check-up")
    schedule = ScheduleFactory(actor=chen, site=site, services=[service])
    proposed = proposal(api, service, schedule)
    proposed["participant"] += [coming(ada), coming(bo)]
    refused = api.post(BOOK, proposed)
    assert (refused.status_code, set(codes(refused))) == (422, {"business-rule"})
    RelatedPersonFactory(patient=bo, user=ada.user)
    booked = Appointment.objects.get(fhir_id=visit(api.post(BOOK, proposed))["id"])
    assert seats(booked) == [None]
    assert "Patient/" + bo.fhir_id in str(Api(user=ada.user).get(booked.reference).fhir)
    assert "Patient/" + ada.fhir_id not in str(Api(user=bo.user).get(booked.reference).fhir)


@pytest.mark.parametrize(("born", "is_child"), [(2015, True), (1990, False)])
def test_a_grown_child_is_not_of_the_family_any_more(ada, bo, born, is_child):
    bo.birth_date = date(born, 1, 1)
    bo.save()
    RelatedPersonFactory(patient=bo, user=ada.user, relationship=[{"coding": [{"code": "MTH"}]}])
    assert are_family([ada, bo], datetime(2026, 6, 1, tzinfo=UTC)) == is_child


def test_a_carer_books_for_their_family_and_for_nobody_else(service, schedule, ada, bo, cleo):
    RelatedPersonFactory(patient=bo, user=ada.user)
    caller = Caller(user=ada.user)
    for others, allowed in (((cleo,), False), ((bo,), True)):
        request = wish(service, schedule, at=monday(10), patient=ada)
        participants = tuple(coming(patient) for patient in (ada, *others))
        act = replace(request, participants=participants)
        if allowed:
            assert seats(booking.book(act, caller=caller, now=timezone.now())) == [0, 1]
        else:
            with pytest.raises(Forbidden):
                booking.book(act, caller=caller, now=timezone.now())
    [family] = Appointment.objects.all()
    booking.cancel(family.fhir_id, caller=caller, now=timezone.now())
    family.refresh_from_db()
    assert family.status == "cancelled"


def test_each_is_written_to_under_their_own_name_with_their_own_link(together, ada, bo, cleo, mailoutbox, settings):
    batch = Batch(now=timezone.now())
    while batch.deliver_next(now=timezone.now()):
        pass
    mails = {mail.to[0]: mail.body for mail in mailoutbox}
    found_links = {}
    for patient in (ada, bo, cleo):
        body = mails[patient.email]
        assert f"For: {patient.given}" in body
        others = [each.given for each in (ada, bo, cleo) if each != patient and f"For: {each.given}" in body]
        assert others == []
        [token] = {part.partition("/")[0] for part in body.split(f"{settings.SITE_URL}/v/")[1:]}
        found_links[patient] = links.read_manage_link(token)
    assert found_links == {patient: (together.fhir_id, patient.fhir_id) for patient in (ada, bo, cleo)}
