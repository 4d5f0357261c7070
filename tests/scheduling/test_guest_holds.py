"""Holds of guests, and the patient of a hold."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, QuestionnaireResponse, Slot
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.errors import Forbidden, HoldExpired, NotFound, RuleBroken, TimeTaken, TooManyHolds
from tests.factories import (
    PatientFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    ScheduleFactory,
)
from tests.scheduling.situations import SOFTWARE, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)
GUEST = Caller(guest="a-secret-of-this-browser")
ANOTHER = Caller(guest="a-secret-of-another")


@pytest.fixture
def held(service, chen):
    return hold(wish(service, chen, at=monday(10)), GUEST)


def name(appointment, patient, caller=GUEST):
    return booking.name_patient(appointment.fhir_id, patient, caller=caller, now=timezone.now())


def extend(appointment, caller=GUEST):
    return booking.extend_hold(appointment.fhir_id, caller=caller, now=timezone.now())


def instead(service, schedule, at, former, caller=GUEST, **who):
    return booking.hold(
        wish(service, schedule, at=at, **who), caller=caller, now=timezone.now(), instead_of=former.fhir_id
    )


# A guest


def test_a_guest_holds_before_they_say_who_they_are(held):
    assert (held.status, held.patient, held.held_by) == ("pending", None, None)
    assert held.held_by_guest == GUEST.guest_digest != GUEST.guest
    assert AuditEvent.objects.get(subtype="hold").client == "guest"


def test_a_guest_sees_their_own_holds_only(held):
    assert list(access.visible(Appointment, GUEST)) == [held]
    assert not access.visible(Appointment, ANOTHER).exists()
    assert not access.visible(Appointment, Caller()).exists()


@pytest.mark.parametrize("act", ["confirm", "cancel", "extend_hold"])
def test_another_guest_cannot_touch_it(held, act):
    with pytest.raises(NotFound):
        getattr(booking, act)(held.fhir_id, caller=ANOTHER, now=timezone.now())


def test_an_anonymous_caller_holds_nothing(service, chen):
    with pytest.raises(Forbidden):
        hold(wish(service, chen, at=monday(10)), Caller())


def test_a_guest_cannot_hold_a_service_that_only_staff_book(service, chen):
    service.bookable_by = "staff"
    service.save()
    with pytest.raises(Forbidden):
        hold(wish(service, chen, at=monday(10)), GUEST)


def test_a_guest_holds_two_times_at_most(service, chen, held):
    hold(wish(service, chen, at=monday(11)), GUEST)
    with pytest.raises(TooManyHolds, match="as many times as you can"):
        hold(wish(service, chen, at=monday(13)), GUEST)
    hold(wish(service, chen, at=monday(13)), ANOTHER)


def test_signing_in_allows_no_more_holds(service, chen, ada, held):
    hold(wish(service, chen, at=monday(11)), GUEST)
    with pytest.raises(TooManyHolds):
        hold(wish(service, chen, at=monday(13), patient=ada), Caller(user=ada.user, guest=GUEST.guest))


def test_a_user_who_has_not_said_for_whom_holds_two_times_at_most(service, chen, ada):
    caller = Caller(user=ada.user)
    for hour in (9, 11):
        hold(wish(service, chen, at=monday(hour)), caller)
    with pytest.raises(TooManyHolds):
        hold(wish(service, chen, at=monday(13)), caller)


def test_a_guest_who_changes_the_hold_is_counted_once(service, chen, held):
    hold(wish(service, chen, at=monday(11)), GUEST)
    assert instead(service, chen, monday(13), held).status == "pending"


def test_a_guest_overrides_no_rule(service, chen):
    with pytest.raises(Forbidden):
        book(replace(wish(service, chen, at=monday(10), patient=PatientFactory()), override="I want it"), GUEST)


def test_a_patient_overrides_no_rule(service, chen, ada):
    with pytest.raises(Forbidden, match="override"):
        book(replace(wish(service, chen, at=monday(10), patient=ada), override="I want it"), Caller(user=ada.user))


# The patient of a hold


def test_without_a_patient_nothing_is_booked(held):
    with pytest.raises(RuleBroken, match="who the visit is for"):
        booking.confirm(held.fhir_id, caller=GUEST, now=timezone.now())


def test_a_named_patient_takes_part_and_the_hold_is_booked(held):
    eve = PatientFactory()
    named = name(held, eve)
    references = [each["actor"]["reference"] for each in named.participant]
    assert references.count(eve.reference) == 1
    booked = booking.confirm(held.fhir_id, caller=GUEST, now=timezone.now())
    assert (booked.status, booked.patient) == ("booked", eve)


def test_another_patient_replaces_the_first(held):
    first, second = PatientFactory(), PatientFactory()
    name(held, first)
    named = name(held, second)
    assert named.patient == second
    assert first.reference not in str(named.participant)


def test_a_guest_does_not_name_somebody_who_has_an_account(held, ada):
    with pytest.raises(Forbidden):
        name(held, ada)


def test_a_carer_names_whom_they_care_for_and_nobody_else(service, chen, ada, bo):
    caller, child = Caller(user=ada.user), PatientFactory()
    RelatedPersonFactory(patient=child, user=ada.user)
    held = hold(wish(service, chen, at=monday(10)), caller)
    with pytest.raises(Forbidden):
        name(held, bo, caller)
    assert name(held, child, caller).patient == child


def test_a_patient_with_another_visit_then_is_not_named(service, chen, held):
    eve = PatientFactory()
    Slot.objects.filter(appointment=held).update(deleted_at=timezone.now())
    book(wish(service, chen, at=monday(10), patient=eve), SOFTWARE)
    with pytest.raises(RuleBroken, match="another visit"):
        name(held, eve)


def test_answers_given_before_are_the_named_patients(held):
    QuestionnaireResponseFactory(appointment=held, patient=None)
    eve = PatientFactory()
    name(held, eve)
    answers = QuestionnaireResponse.objects.get()
    assert (answers.patient, answers.version) == (eve, 2)


def test_a_patient_with_two_holds_is_not_named(service, chen, held):
    eve = PatientFactory()
    for hour in (13, 15):
        name(hold(wish(service, chen, at=monday(hour)), ANOTHER), eve, ANOTHER)
    with pytest.raises(TooManyHolds):
        name(held, eve)
    held.refresh_from_db()
    assert held.patient is None


def test_no_patient_is_named_for_an_expired_hold(held):
    run_out(held)
    with pytest.raises(HoldExpired):
        name(held, PatientFactory())


# Extension


def test_a_hold_is_extended_once(held):
    before = held.hold_expires_at
    extended = extend(held)
    assert extended.hold_expires_at == before + timedelta(minutes=10)
    assert set(Slot.objects.values_list("hold_expires_at", flat=True)) == {extended.hold_expires_at}
    with pytest.raises(RuleBroken, match="extended already"):
        extend(held)


def test_nor_past_the_time_of_somebody_who_came_after_it(service, chen, held):
    """The server's clock is slow: it has not reached the hold's expiry yet."""
    run_out(held)
    book(wish(service, chen, at=monday(10)), SOFTWARE)
    with pytest.raises(HoldExpired):
        booking.extend_hold(held.fhir_id, caller=GUEST, now=timezone.now() - timedelta(minutes=1))
    held.refresh_from_db()
    assert not held.hold_extended


@pytest.mark.parametrize("act", ["extend_hold", "confirm"])
def test_nor_where_its_patient_has_gone_elsewhere_since(service, chen, held, act):
    eve = PatientFactory()
    name(held, eve)
    run_out(held)
    book(wish(service, ScheduleFactory(services=[service]), at=monday(10), patient=eve), SOFTWARE)
    with pytest.raises(RuleBroken, match="another visit"):
        getattr(booking, act)(held.fhir_id, caller=GUEST, now=timezone.now() - timedelta(minutes=1))


def test_a_hold_that_has_ended_is_not_extended(held):
    run_out(held)
    with pytest.raises(HoldExpired):
        extend(held)


# Details that are copied to the next hold


def test_comment_answers_and_coverage_go_on_to_the_next_hold_of_the_same_visit(service, chen, held):
    form = QuestionnaireFactory()
    QuestionnaireResponseFactory(appointment=held, patient=None, questionnaire=form, status="in-progress")
    Appointment.objects.update(comment="Step-free, please")
    booking.support(held.fhir_id, ["Coverage/mine"], caller=GUEST, now=timezone.now())
    after = instead(service, chen, monday(11), held)
    after.refresh_from_db()
    assert after.comment == "Step-free, please"
    assert after.extra["supportingInformation"] == [{"reference": "Coverage/mine"}]
    assert QuestionnaireResponse.objects.get().appointment == after


@pytest.mark.parametrize("ended", ["expired", "released", "let go"])
def test_also_where_the_hold_before_has_ended(service, chen, held, ended):
    QuestionnaireResponseFactory(appointment=held, patient=None)
    if ended == "let go":
        booking.cancel(held.fhir_id, caller=GUEST, now=timezone.now())
    else:
        run_out(held)
    if ended == "released":
        booking.release_expired_holds(now=timezone.now())
    after = instead(service, chen, monday(10), held)
    assert QuestionnaireResponse.objects.get().appointment == after


def test_nothing_goes_on_from_a_visit_that_was_booked(service, chen, held):
    name(held, PatientFactory())
    booking.confirm(held.fhir_id, caller=GUEST, now=timezone.now())
    QuestionnaireResponseFactory(appointment=held)
    instead(service, chen, monday(11), held)
    assert QuestionnaireResponse.objects.get().appointment == held
    assert Appointment.objects.get(pk=held.pk).status == "booked"


def test_where_the_new_time_is_gone_the_old_keeps_all(service, chen, held):
    hold(wish(service, chen, at=monday(11)), ANOTHER)
    QuestionnaireResponseFactory(appointment=held, patient=None)
    with pytest.raises(TimeTaken):
        instead(service, chen, monday(11), held)
    assert QuestionnaireResponse.objects.get().appointment == held
    held.refresh_from_db()
    assert held.status == "pending"


# The row that a hold refers to


def test_a_reference_takes_the_place_of_one_of_its_type(held):
    for references in (["Coverage/one", "DocumentReference/letter"], ["Coverage/two"]):
        booking.support(held.fhir_id, references, caller=GUEST, now=timezone.now())
    held.refresh_from_db()
    noted = [each["reference"] for each in held.extra["supportingInformation"]]
    assert noted == ["DocumentReference/letter", "Coverage/two"]


def test_nothing_is_noted_for_what_has_ended(held):
    run_out(held)
    with pytest.raises(HoldExpired):
        booking.support(held.fhir_id, ["Coverage/one"], caller=GUEST, now=timezone.now())
