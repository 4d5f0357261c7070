"""The waiting list through the API: software and patients join and leave it by writing an Appointment `waitlist`."""

import pytest

from clinic.fhir.codes import REPLACES, WAITLIST_PREFERENCES
from clinic.fhir.waitlist import preferences_of
from clinic.models import Appointment, AuditEvent, Communication
from tests.api.access.world import app_of
from tests.api.conftest import Api, codes
from tests.factories import LocationFactory, PatientFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db
PREFERENCES = {
    "url": WAITLIST_PREFERENCES,
    "extension": [
        {"url": "weekday", "valueCode": "mon"},
        {"url": "weekday", "valueCode": "tue"},
        {"url": "partOfDay", "valueCode": "morning"},
        {"url": "medium", "valueCode": "sms"},
        {"url": "noticeHours", "valueUnsignedInt": 24},
    ],
}


@pytest.fixture
def service():
    return ServiceFactory(name="Office visit")


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service], site=LocationFactory())


@pytest.fixture
def ada():
    return PatientFactory(fhir_id="ada", given="Ada", email="ada@example.com", user=UserFactory())


@pytest.fixture
def as_ada(ada):
    return Api(user=ada.user)


@pytest.fixture
def entry(service, chen, ada):
    """The Appointment that is sent: mornings with Dr Chen, from Monday on."""
    return {
        "resourceType": "Appointment",
        "status": "waitlist",
        "participant": [
            {"actor": {"reference": "Patient/ada"}, "status": "accepted"},
            {"actor": {"reference": service.reference}, "status": "accepted"},
            {"actor": {"reference": chen.actor.reference}, "status": "tentative", "required": "optional"},
        ],
        "requestedPeriod": [{"start": "2030-01-07T00:00:00Z", "end": "2030-02-01T00:00:00Z"}],
        "extension": [PREFERENCES],
    }


def test_a_patient_joins_and_what_was_sent_is_read_again(as_ada, entry, service, chen, ada):
    response = as_ada.post("Appointment", entry)
    assert response.status_code == 201
    row = Appointment.objects.get()
    wanted = preferences_of(row)
    assert (row.status, row.patient, row.service, row.start) == ("waitlist", ada, service, None)
    assert wanted.practitioners == {chen.actor.reference}
    assert (wanted.weekdays, wanted.parts, wanted.media) == ({"mon", "tue"}, {"morning"}, {"sms"})
    assert (wanted.notice.total_seconds(), wanted.not_before.year, wanted.until.month) == (24 * 3600, 2030, 2)
    read = as_ada.get(f"Appointment/{row.fhir_id}").fhir
    assert (read["extension"], read["requestedPeriod"]) == (entry["extension"], entry["requestedPeriod"])
    assert AuditEvent.objects.filter(appointment=row, subtype="join").count() == 1


def test_software_joins_changes_and_leaves(api, entry, service):
    made = api.post("Appointment", {**entry, "priority": 1})
    assert (made.status_code, made.fhir["priority"]) == (201, 1)
    path = f"Appointment/{made.fhir['id']}"
    since = Appointment.objects.get().created
    changed = api.put(path, {name: value for name, value in made.fhir.items() if name != "extension"})
    row = Appointment.objects.get()
    assert (changed.status_code, preferences_of(row).weekdays, row.created) == (200, frozenset(), since)
    left = api.put(path, {**changed.fhir, "status": "cancelled"})
    assert (left.status_code, left.fhir["status"]) == (200, "cancelled")
    assert not Communication.objects.exists()


def test_a_patient_changes_what_suits_them_and_leaves(as_ada, entry):
    path = f"Appointment/{as_ada.post('Appointment', entry).fhir['id']}"
    evenings = {"op": "replace", "path": "/extension/0/extension/2/valueCode", "value": "evening"}
    assert as_ada.patch(path, [evenings]).status_code == 200
    assert preferences_of(Appointment.objects.get()).parts == {"evening"}
    left = as_ada.patch(path, [{"op": "replace", "path": "/status", "value": "cancelled"}])
    assert (left.status_code, left.fhir["status"]) == (200, "cancelled")


@pytest.mark.parametrize(
    "change",
    [
        {"op": "add", "path": "/priority", "value": 1},
        {"op": "replace", "path": "/status", "value": "booked"},
        {"op": "replace", "path": "/status", "value": "proposed"},
    ],
)
def test_a_patient_neither_hurries_nor_books_their_entry(as_ada, entry, change):
    path = f"Appointment/{as_ada.post('Appointment', entry).fhir['id']}"
    refused = as_ada.patch(path, [change])
    assert refused.status_code == 422
    assert (Appointment.objects.get().status, Appointment.objects.get().version) == ("waitlist", 1)


def test_a_patient_joins_once_for_themselves_and_not_as_urgent(as_ada, entry, service):
    assert codes(as_ada.post("Appointment", {**entry, "priority": 1})) == ["business-rule"]
    assert as_ada.post("Appointment", entry).status_code == 201
    assert codes(as_ada.post("Appointment", entry)) == ["business-rule"]
    bo = PatientFactory(fhir_id="bo", user=UserFactory())
    assert Api(user=bo.user).post("Appointment", entry).status_code in (403, 404, 422)
    assert Appointment.objects.count() == 1


def test_a_service_without_a_list_takes_entries_of_the_clinic_only(as_ada, api, entry, service):
    service.has_waitlist = False
    service.save()
    assert codes(as_ada.post("Appointment", entry)) == ["forbidden"]
    assert api.post("Appointment", entry).status_code == 201


def test_a_token_without_the_scope_is_refused(ada, entry):
    assert app_of(ada, "patient/Appointment.rs").post("Appointment", entry).status_code == 403


def test_the_visit_that_would_move_is_their_own_and_booked(as_ada, entry, service, chen, ada):
    visit = book(wish(service, chen, at=monday(15), patient=ada))
    replaces = {"url": REPLACES, "valueReference": {"reference": visit.reference}}
    others = book(wish(service, chen, at=monday(16), patient=PatientFactory()))
    wrong = {"url": REPLACES, "valueReference": {"reference": others.reference}}
    assert as_ada.post("Appointment", {**entry, "extension": [wrong]}).status_code >= 400
    assert as_ada.post("Appointment", {**entry, "extension": [replaces]}).status_code == 201
    assert preferences_of(Appointment.objects.get(status="waitlist")).replaces == visit.reference


@pytest.mark.parametrize(
    "part",
    [
        {"url": "weekday", "valueCode": "someday"},
        {"url": "noticeHours", "valueUnsignedInt": 10_000},
        {"url": "colour", "valueCode": "red"},
    ],
)
def test_an_unknown_preference_is_refused_where_it_stands(api, entry, part):
    wrong = {"url": WAITLIST_PREFERENCES, "extension": [part]}
    refused = api.post("Appointment", {**entry, "extension": [wrong]})
    assert refused.status_code in (400, 422)
    assert refused.fhir["issue"][0]["expression"] == ["Appointment.extension[0].extension[0]"]


def test_staff_of_the_service_see_the_entry_and_others_do_not(as_ada, entry, chen):
    path = f"Appointment/{as_ada.post('Appointment', entry).fhir['id']}"
    elsewhere = LocationFactory()
    ScheduleFactory(site=elsewhere)
    for site, status in ((chen.site, 200), (elsewhere, 404)):
        assert Api(user=UserFactory(desk_locations=[site])).get(path).status_code == status
