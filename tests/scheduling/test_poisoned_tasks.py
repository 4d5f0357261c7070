"""Every background task goes on with the other rows when PostgreSQL refuses to write one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic import childhood
from clinic.models import (
    Closure,
    Communication,
    CountedDay,
    DuplicatePair,
    EventDelivery,
    EventReceiver,
    FreedTime,
    NoticeSettings,
    ParkedRow,
    Patient,
    Payment,
    PaymentOrder,
    StaffNotice,
    Task,
)
from scheduling import booking, carers, opening, receivers, staff_notices, tasks
from scheduling.access import Caller
from scheduling.interactions import duplicates
from scheduling.staff_notices import Preferences
from tests.factories import (
    AbsenceFactory,
    AppointmentFactory,
    ImportFileFactory,
    LocationFactory,
    PatientFactory,
    RebookingFactory,
    RecallFactory,
    ReferralFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Case:
    """Two rows that a task processes; PostgreSQL refuses `event` on `table` where `refused` is true."""

    run: Callable[[], object]
    is_done: Callable[[], bool]  # for the row that can be written
    table: str
    refused: str
    event: str = "UPDATE"


def updates(bad, good, run: Callable[[], object], is_done: Callable[[], object]) -> Case:
    """A case in which the row `bad` cannot be updated."""

    def check() -> bool:
        good.refresh_from_db()
        return bool(is_done())

    return Case(run, check, bad._meta.db_table, f"NEW.id = {bad.pk}")


def renewed_addresses() -> Case:
    former, current = "+12125550111", "+12125550122"
    telecom = [
        {"system": "phone", "value": former, "period": {"end": "2020-01-01"}},
        {"system": "phone", "value": current},
    ]
    bad, good = PatientFactory(), PatientFactory()
    Patient.objects.update(phone=former, extra={"telecom": telecom})
    return updates(bad, good, tasks.renew_contacts, lambda: good.phone == current)


def ended_referrals() -> Case:
    bad, good = (ReferralFactory(referred_by=UserFactory(), valid_until=NOW - DAY) for _ in range(2))
    return updates(bad, good, tasks.tell_of_ended_referrals, lambda: good.end_told)


def due_recalls() -> Case:
    bad, good = (RecallFactory(next_message=NOW - HOUR) for _ in range(2))
    return updates(bad, good, tasks.tend_recalls, lambda: good.next_message != NOW - HOUR)


def withdrawn_recalls() -> Case:
    bad, good = (RecallFactory(by_rule=True) for _ in range(2))
    return updates(bad, good, tasks.tend_recalls, lambda: good.status == "cancelled")


def booked_recalls() -> Case:
    bad, good = (RecallFactory(authored=NOW - DAY) for _ in range(2))
    for recall in (bad, good):
        AppointmentFactory(patient=recall.patient, service=recall.service, start=NOW + DAY)
    return updates(bad, good, tasks.tend_recalls, lambda: good.status == "completed")


def recalls_by_rule() -> Case:
    service = ServiceFactory(recall_months=6)
    past = {"service": service, "status": "fulfilled", "start": NOW - DAY}
    bad, good = (AppointmentFactory(patient=PatientFactory(), **past) for _ in range(2))
    made = Task.objects.filter(appointment=good).exists
    return Case(tasks.tend_recalls, made, "clinic_task", f"NEW.appointment_id = {bad.pk}", "INSERT")


def young_patients() -> Case:
    born = date(2000, 3, 1)
    bad, good = (PatientFactory(birth_date=born, email=f"{name}@example.com") for name in ("bad", "good"))
    for child in (bad, good):
        RelatedPersonFactory(patient=child, user=UserFactory(), relationship=[{"coding": [{"code": "PRN"}]}])
    soon = datetime.combine(childhood.of_age_on(born) - 9 * DAY, datetime.min.time(), UTC)
    told = Communication.objects.filter(patient=good, event="of-age").exists
    condition = f"NEW.patient_id = {bad.pk}"
    return Case(lambda: carers.tell_of_age(now=soon), told, "clinic_communication", condition, "INSERT")


def next_holidays() -> Case:
    bad, good = LocationFactory(), LocationFactory()
    now = datetime(2027, 2, 1, tzinfo=UTC)
    for site in (bad, good):
        day = date(2027, 9, 6)
        named = {"country": "US", "region": "NY", "holiday": "Labor Day", "names": {"": "Labor Day"}}
        Closure.objects.create(location=site, first=day, last=day, **named)
    closed = Closure.objects.filter(location=good, first=date(2028, 9, 4)).exists
    condition = f"NEW.location_id = {bad.pk}"
    return Case(lambda: opening.add_next_holidays(now=now), closed, "clinic_closure", condition, "INSERT")


def counted_days() -> Case:
    today = NOW.date()
    CountedDay.objects.create(day=today - 5 * DAY, computed=NOW - 5 * DAY)
    counted = CountedDay.objects.filter(day=today - DAY).exists
    condition = f"NEW.day = '{today - 3 * DAY}'"
    return Case(tasks.count_days, counted, "clinic_countedday", condition, "INSERT")


def payment(**columns) -> Payment:
    values = {"patient": PatientFactory(), "currency": "USD", "created": NOW - DAY, "last_updated": NOW - DAY}
    return Payment.objects.create(**values, **columns)


def payment_orders() -> Case:
    columns = {"kind": "release", "created": NOW, "due": NOW - HOUR}
    bad, good = (PaymentOrder.objects.create(payment=payment(status="paid"), **columns) for _ in range(2))
    return updates(bad, good, tasks.settle_payments, lambda: good.attempts == 1)


def open_payments() -> Case:
    bad, good = (payment(status="paying", expires_at=NOW + DAY) for _ in range(2))
    return updates(bad, good, tasks.settle_payments, lambda: good.checked)


def kept_cards() -> Case:
    bad, good = payment(status="kept"), payment(status="kept")
    return updates(bad, good, lambda: booking.forget_cards(now=NOW), lambda: good.status == "released")


def deliveries() -> list[EventDelivery]:
    made = []
    for number in range(2):
        receiver = EventReceiver.objects.create(name=f"Ours {number}", url="http://a.invalid/", kinds=["booked"])
        made.append(receivers.send_test(receiver, now=NOW - HOUR))
    return made


def events_of_receivers() -> Case:
    bad, good = deliveries()
    return updates(bad, good, tasks.tell_receivers, lambda: good.attempts)


def receivers_of_events() -> Case:
    bad, good = deliveries()
    return updates(bad.receiver, good, tasks.tell_receivers, lambda: good.attempts)


def visits_of_an_absence() -> Case:
    schedule = ScheduleFactory()
    absence = AbsenceFactory(bookable=schedule.bookable, start=NOW, end=NOW + 9 * DAY, offered=NOW)
    visits = (AppointmentFactory(patient=PatientFactory(), start=NOW + DAY) for _ in range(2))
    bad, good = (RebookingFactory(absence=absence, appointment=visit, state="waiting") for visit in visits)
    return updates(bad, good, tasks.tend_absences, lambda: good.state != "waiting")


def freed_time() -> Case:
    bookable = ScheduleFactory().bookable
    span = {"start": NOW + DAY, "end": NOW + DAY + HOUR, "freed": NOW - HOUR, "due": NOW - HOUR}
    bad, good = (FreedTime.objects.create(bookable=bookable, **span) for _ in range(2))
    return updates(bad, good, tasks.offer_freed_time, lambda: good.closed)


def imported_files() -> Case:
    bad, good = (ImportFileFactory(status="checking", created_by=UserFactory()) for _ in range(2))
    return updates(bad, good, tasks.work_on_imports, lambda: good.status != "checking")


def notices_to_staff() -> Case:
    site = LocationFactory()
    desk = Caller(user=UserFactory(desk_locations=[site]))
    preferences = Preferences(email=frozenset(), pages=frozenset({"booked"}), version=0)
    staff_notices.save_preferences(preferences, caller=desk)
    bad, good = (AppointmentFactory(patient=PatientFactory(), start=NOW + DAY, site=site) for _ in range(2))
    written = StaffNotice.objects.filter(appointment=good).exists
    return Case(tasks.tell_staff, written, "clinic_staffnotice", f"NEW.appointment_id = {bad.pk}", "INSERT")


def emails_to_staff() -> Case:
    visit = AppointmentFactory(patient=PatientFactory(), start=NOW + DAY)
    columns = {"kind": "booked", "appointment": visit, "occurred": NOW - HOUR, "due": NOW - HOUR}
    bad, good = (StaffNotice.objects.create(user=UserFactory(), version=1, **columns) for _ in range(2))
    return updates(bad, good, tasks.tell_staff, lambda: good.due is None)


def digests_of_staff() -> Case:
    bad, good = (NoticeSettings.objects.create(user=UserFactory(), digest_at=time(0)) for _ in range(2))
    return updates(bad, good, tasks.tell_staff, lambda: good.digested)


CASES = (
    renewed_addresses,
    ended_referrals,
    due_recalls,
    withdrawn_recalls,
    booked_recalls,
    recalls_by_rule,
    young_patients,
    next_holidays,
    counted_days,
    payment_orders,
    open_payments,
    kept_cards,
    events_of_receivers,
    receivers_of_events,
    visits_of_an_absence,
    freed_time,
    imported_files,
    notices_to_staff,
    emails_to_staff,
    digests_of_staff,
)


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_one_row_that_cannot_be_written_is_set_aside_and_the_task_goes_on(make):
    case = make()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$"
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            f"CREATE TRIGGER refuse BEFORE {case.event} ON {case.table} FOR EACH ROW WHEN ({case.refused})"
            " EXECUTE FUNCTION refuse()"
        )
    case.run()
    assert ParkedRow.objects.count() == 1
    assert case.is_done()


def test_a_record_that_cannot_be_compared_is_set_aside_and_compared_once_it_can():
    same = {"family": "Quinn", "given": "Ada", "birth_date": date(1980, 5, 1)}
    bad, *_others = (PatientFactory(email="ada@example.com", **same) for _ in range(3))
    Patient.objects.filter(pk=bad.pk).update(extra={"telecom": "not a list"})
    reached = duplicates.compare_changed(None, now=NOW)
    assert DuplicatePair.objects.count() == 1
    assert ParkedRow.objects.get().key == str(bad.pk)
    assert duplicates.compare_changed(reached, now=NOW + HOUR / 120) is None

    Patient.objects.filter(pk=bad.pk).update(extra={})
    assert duplicates.compare_changed(reached, now=NOW + HOUR) == reached
    assert DuplicatePair.objects.count() == 3
    assert not ParkedRow.objects.exists()
