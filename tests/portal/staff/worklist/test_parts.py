"""The parts of the worklist that other rows call for: absences, forms, insurance, refused payments, duplicates."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import PaymentOrder, Rebooking, StaffRole, WorkItem
from scheduling.access import Caller
from scheduling.worklist import Holder, count_work
from tests.factories import (
    NEW_YORK,
    AbsenceFactory,
    AppointmentFactory,
    CoverageFactory,
    DuplicatePairFactory,
    PatientFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RebookingFactory,
    UserFactory,
)
from tests.payments import pay

pytestmark = pytest.mark.django_db
LIST = "/staff/to-do/"


@pytest.fixture
def visit(ada, site, checkup, schedule):
    """A confirmed visit in four days."""
    now = timezone.now()
    start = now + timedelta(days=4)
    return AppointmentFactory(
        patient=ada,
        service=checkup,
        site=site,
        start=start,
        end=start + timedelta(minutes=30),
        attendance_confirmed=now,
        schedules=[schedule],
    )


def test_a_visit_under_an_absence_waits_until_times_are_looked_for(as_rana, visit, schedule):
    absence = AbsenceFactory(bookable=schedule.bookable, start=visit.start, end=visit.end)
    page = as_rana.get(LIST)
    assertContains(page, "Visits to rebook")
    assertContains(page, f"/staff/absences/{absence.pk}/")
    absence.offered = timezone.now()
    absence.save()
    row = RebookingFactory(absence=absence, appointment=visit, state="offered")
    assertNotContains(as_rana.get(LIST), "Visits to rebook")
    Rebooking.objects.filter(pk=row.pk).update(state="call", why="no-answer")
    assertContains(as_rana.get(LIST), "Visits to rebook")
    Rebooking.objects.filter(pk=row.pk).update(state="kept")
    assertNotContains(as_rana.get(LIST), "Visits to rebook")


def test_an_absence_at_another_time_or_that_has_ended_calls_for_nothing(as_rana, visit, schedule):
    now = timezone.now()
    AbsenceFactory(bookable=schedule.bookable, start=visit.end, end=visit.end + timedelta(days=1))
    AbsenceFactory(bookable=schedule.bookable, start=visit.start, end=visit.end, ended=now)
    assertNotContains(as_rana.get(LIST), "Visits to rebook")


def test_forms_are_missing_until_they_are_answered(as_rana, visit, checkup, ada):
    form = QuestionnaireFactory()
    checkup.questionnaires.add(form)
    assertNotContains(as_rana.get(LIST), "Forms missing")
    checkup.requires_questionnaires = True
    checkup.save()
    answers = QuestionnaireResponseFactory(appointment=visit, patient=ada, questionnaire=form, status="in-progress")
    assertContains(as_rana.get(LIST), "Forms missing")
    answers.status = "completed"
    answers.save()
    assertNotContains(as_rana.get(LIST), "Forms missing")


@pytest.mark.parametrize(
    ("coverage", "words"),
    [
        (None, "No insurance is on record for that day."),
        ({"verification": "declared"}, "nobody has checked it"),
        ({"verification": "rejected"}, "No insurance is on record for that day."),
        ({"verification": "verified"}, None),
        ({"verification": "verified", "end": "yesterday"}, "No insurance is on record for that day."),
    ],
)
def test_insurance_waits_until_one_is_checked_that_is_in_force(as_rana, visit, checkup, ada, coverage, words):
    checkup.requires_coverage = True
    checkup.save()
    if coverage is not None:
        if coverage.get("end"):
            coverage = {**coverage, "end": timezone.now().date() - timedelta(days=1)}
        CoverageFactory(beneficiary=ada, **coverage)
    page = as_rana.get(LIST)
    if words is None:
        assertNotContains(page, "Insurance to check")
    else:
        assertContains(page, words)


@pytest.mark.parametrize(("days", "is_missing"), [(0, False), (-1, True)])
def test_insurance_is_in_force_on_the_day_of_the_site(as_rana, visit, checkup, ada, days, is_missing):
    """Ten in the evening in New York is the next day in UTC."""
    day = (visit.start.astimezone(ZoneInfo(NEW_YORK)) + timedelta(days=1)).date()
    visit.start = datetime.combine(day, time(22), ZoneInfo(NEW_YORK))
    visit.end = visit.start + timedelta(minutes=30)
    visit.save()
    checkup.requires_coverage = True
    checkup.save()
    CoverageFactory(beneficiary=ada, verification="verified", end=day + timedelta(days=days))
    assert ("Insurance to check" in as_rana.get(LIST).content.decode()) is is_missing


def refuse(visit, kind, **payment):
    paid = pay(visit, **payment)
    return PaymentOrder.objects.create(
        payment=paid,
        kind=kind,
        status="failed",
        amount=2500,
        error="card_declined",
        appointment=None if kind == "capture" else visit,
        created=timezone.now(),
        due=timezone.now(),
    )


def test_a_fee_that_was_refused_is_settled_otherwise(as_rana, visit):
    refuse(visit, "fee", status="kept", purpose="card", amount=0, fee=2500)
    page = as_rana.get(LIST)
    for words in ("Payments that were refused", "Charge the fee, $25.00: card_declined"):
        assertContains(page, words)
    payment = f"/staff/appointments/{visit.fhir_id}/payment/"
    assertContains(page, payment)
    assertContains(as_rana.post(payment, {"action": "settle", "reason": ""}), "Enter the reason.")
    answer = as_rana.post(payment, {"action": "settle", "reason": "Paid in cash"}, follow=True)
    assertContains(answer, "Noted as settled.")
    assert PaymentOrder.objects.get().reason == "Paid in cash"
    assertNotContains(as_rana.get(LIST), "Payments that were refused")
    assertContains(as_rana.post(payment, {"action": "settle", "reason": "Again"}), "Settled otherwise", 0)


@pytest.mark.parametrize(
    ("kind", "status", "later", "waits"),
    [
        ("capture", "failed", None, True),
        ("refund", "refunded", None, True),
        ("refund", "refunded", "waiting", False),
        ("refund", "refunded", "failed", True),
        ("refund", "failed", None, False),
        ("release", "released", None, False),
        ("fee", "waived", None, False),
    ],
)
def test_what_a_bank_refused_waits_until_it_is_tried_again(as_rana, visit, kind, status, later, waits):
    order = refuse(visit, kind, status=status)
    if later:
        PaymentOrder.objects.create(
            payment=order.payment,
            kind=kind,
            status=later,
            appointment=order.appointment,
            created=timezone.now(),
            due=timezone.now(),
        )
    assert ("Payments that were refused" in as_rana.get(LIST).content.decode()) is waits


def test_a_refused_charge_is_settled_by_another_payment(as_rana, visit):
    refuse(visit, "capture", status="failed")
    pay(visit)
    assertNotContains(as_rana.get(LIST), "Payments that were refused")


def test_billing_deals_with_payments_and_insurance_alone(client, visit):
    billing = UserFactory()
    StaffRole.objects.create(user=billing, role="billing")
    refuse(visit, "capture", status="failed")
    visit.attendance_confirmed, visit.start = None, timezone.now() + timedelta(hours=5)
    visit.save()
    client.force_login(billing)
    page = client.get(LIST)
    assertContains(page, f"{LIST}payment/")
    assertNotContains(page, f"{LIST}unconfirmed/")
    order = PaymentOrder.objects.get()
    client.post(f"{LIST}payment/{order.pk}/owner/", {"version": 0})
    assertContains(client.get(f"{LIST}?who=mine"), "Payments that were refused")


def test_possible_duplicates_wait_for_those_who_merge_records(as_rana, client):
    one, other = PatientFactory(given="Cy"), PatientFactory(given="Cyrus")
    DuplicatePairFactory(first=one, second=other)
    assertContains(as_rana.get(LIST), f"/staff/patients/{one.fhir_id}/merge/{other.fhir_id}/")


def test_a_practitioner_has_no_duplicates_to_compare(as_chen):
    DuplicatePairFactory(first=PatientFactory(given="Cy"), second=PatientFactory(given="Cyrus"))
    assertNotContains(as_chen.get(LIST), "Cyrus")


def test_many_items_of_all_kinds_need_as_many_statements_as_one(
    as_rana, visit, site, schedule, django_assert_max_num_queries
):
    def add(n):
        start = visit.start + timedelta(minutes=n)
        for ahead in (timedelta(0), -timedelta(days=3)):
            one = AppointmentFactory(patient=PatientFactory(), site=site, start=start + ahead, schedules=[])
            refuse(one, "fee", status="kept", purpose="card", amount=0, fee=2500)
        DuplicatePairFactory(first=PatientFactory(), second=PatientFactory())

    add(0)
    with django_assert_max_num_queries(30) as few:
        as_rana.get(LIST)
    for n in range(1, 4):
        add(n)
    with django_assert_max_num_queries(len(few)):
        as_rana.get(LIST)


def test_a_kind_of_which_there_is_no_row_is_not_counted(rana, visit, django_assert_num_queries):
    """Each page of staff counts what waits for them: it takes a tenth of the time of asking for every kind."""
    caller = Caller(user=rana)
    count_work(caller, now=timezone.now())  # reads the caller's roles
    with django_assert_num_queries(2) as statements:
        count_work(caller, now=timezone.now())
    assert "clinic_paymentorder" not in statements[-1]["sql"]
    refuse(visit, "fee", status="paid")
    with django_assert_num_queries(2) as statements:
        assert count_work(caller, now=timezone.now()).of([Holder.NOBODY], WorkItem.Kind.PAYMENT) == 1
    assert "clinic_paymentorder" in statements[-1]["sql"]
