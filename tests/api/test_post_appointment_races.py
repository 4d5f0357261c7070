"""Clients that POST Appointments for the same free Slots at one moment: each Slot is had once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from api.operations.ids import free_slot_id
from clinic.models import Appointment, Slot
from tests.api.conftest import api_with
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.races.arena import overlaps
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db(transaction=True)


def appointment(patient, *slots):
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": slot} for slot in slots],
        "participant": [{"actor": {"reference": patient.reference}, "status": "accepted"}],
    }


def posted_at_once(path, bodies):
    """The statuses of requests that are sent at one moment, in order."""
    start = Barrier(len(bodies), timeout=30)
    clients = [api_with() for _ in bodies]

    def post(api, body):
        start.wait(timeout=30)
        try:
            return api.post(path, body).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(post, clients, bodies))


@pytest.mark.parametrize("is_stored", [True, False], ids=["stored", "computed"])
def test_one_of_six_clients_takes_a_slot(is_stored):
    service = ServiceFactory(duration=30, interval=30)
    chen = ScheduleFactory(services=[service])
    slot = f"Slot/{free_slot_id(chen.pk, service.pk, int(monday(10).timestamp()))}"
    if is_stored:
        slot = SlotFactory(schedule=chen, status="free", start=monday(19), end=monday(19, 30)).reference
    statuses = posted_at_once("Appointment", [appointment(patient, slot) for patient in PatientFactory.create_batch(6)])
    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]
    assert (Appointment.objects.count(), Slot.objects.filter(status="busy").count(), overlaps()) == (1, 1, 0)


def test_transactions_for_the_same_slots_in_another_order_end_without_deadlock():
    """The calendars of all bookings are locked in one order before the first of them is made."""
    service = ServiceFactory(duration=30, interval=30)
    schedules = ScheduleFactory.create_batch(2, services=[service])
    for hour in range(10, 14):
        slots = [f"Slot/{free_slot_id(each.pk, service.pk, int(monday(hour).timestamp()))}" for each in schedules]
        bundles = [
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [
                    {
                        "resource": appointment(PatientFactory(), slot),
                        "request": {"method": "POST", "url": "Appointment"},
                    }
                    for slot in order
                ],
            }
            for order in (slots, slots[::-1])
        ]
        assert sorted(posted_at_once("", bundles)) == [200, 409]
    assert (Appointment.objects.count(), overlaps()) == (8, 0)
