"""No search finds closed time: finders, prefetch, published Slots, `$explain` and the page of times."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from clinic.fhir.datatypes import instant
from clinic.models import (
    Closure,
    Device,
    HealthcareService,
    Location,
    Practitioner,
    PractitionerRole,
    Schedule,
    SchedulingParameters,
)
from tests.api.conftest import BASE, Api, api_with
from tests.api.dialects import VISIT_TYPE, matches, window
from tests.api.visits import FIND, find_query
from tests.factories import (
    DeviceFactory,
    LocationFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db
TEN = monday(10)
DAY = monday(12).date().isoformat()
AWAY = [{"description": "Closed", "during": {"start": DAY, "end": DAY}}]
YESTERDAY = (monday(12) - timedelta(days=1)).date().isoformat()

CLOSURES = {
    "a practitioner who has left": (Practitioner, {"active": False}),
    "a role that is inactive": (PractitionerRole, {"active": False}),
    "a role whose period is over": (PractitionerRole, {"extra": {"period": {"end": YESTERDAY}}}),
    "a role on leave": (PractitionerRole, {"extra": {"notAvailable": AWAY}}),
    "a site that is suspended": (Location, {"status": "suspended"}),
    "a site that is closed for good": (Location, {"status": "inactive"}),
    "a device that is broken": (Device, {"status": "inactive"}),
    "a device that was recorded by mistake": (Device, {"status": "entered-in-error"}),
    "a calendar that is inactive": (Schedule, {"active": False}),
    "a service that is inactive": (HealthcareService, {"active": False}),
    "a service with a closure": (SchedulingParameters, {"not_available": AWAY}),
}


# What is closed for all services at once, by the kind of the actor or the place; None is the whole clinic.
CLOSED_ACTORS = {"the clinic": None, "the site": Location, "the person": Practitioner, "the device": Device}
OF_THE_VISIT = {"the site": {"part_of": None}}


@pytest.fixture
def service(db: None, settings: Any) -> HealthcareService:
    """A visit of a practitioner in a role, and of a device, at one site."""
    settings.PUBLISHED_AHEAD, settings.PUBLISHED_MAX_AGE = timedelta(days=21), timedelta(0)
    address = {"line": "1 Main Street", "city": "New York", "state": "NY", "postal_code": "10001"}
    site = LocationFactory(phone="+1 212 555 0100", **address)
    coding = {"system": VISIT_TYPE, "code": "scan", "display": "Scan"}
    service = ServiceFactory(name="Scan", type=[{"coding": [coding]}], requires=["Practitioner", "Device"])
    role = RoleFactory(practitioner=PractitionerFactory(), locations=[site], services=[service])
    ScheduleFactory(actor=role, services=[service], site=site)
    ScheduleFactory(actor=DeviceFactory(location=RoomFactory(part_of=site)), services=[service], site=site)
    return service


def medplum(api: Api, service: HealthcareService) -> set[str]:
    answer = api.get(FIND, find_query(service, _count=1000))
    assert answer.status_code in (200, 422), answer.fhir  # 422: nothing of the service is open at all
    return {each["start"] for each in matches(answer)} if answer.status_code == 200 else set()


def argonaut(api: Api, service: HealthcareService) -> set[str]:
    answer = api.get(FIND, window(**{"visit-type": f"{VISIT_TYPE}|scan", "_count": 1000}))
    return {each["start"] for each in matches(answer)}


def prefetch(api: Api, service: HealthcareService) -> set[str]:
    return {each["start"] for each in matches(api.get("Slot/$prefetch", window())) if each["status"] == "free"}


def published(api: Api, service: HealthcareService) -> set[str]:
    published_slots = map(json.loads, Client().get(f"{BASE}$bulk-publish/Slot.ndjson").getvalue().splitlines())
    return {instant(datetime.fromisoformat(slot["start"])) for slot in published_slots if slot["status"] == "free"}


def page(api: Api, service: HealthcareService) -> set[str]:
    content = Client().get(f"/book/{service.fhir_id}/", {"date": DAY}).content.decode()
    return {instant(TEN)} if instant(TEN) in content else set()


def explained(api: Api, service: HealthcareService) -> set[str]:
    answer = api.get(f"HealthcareService/{service.fhir_id}/$explain", {"start": instant(TEN)})
    assert answer.status_code in (200, 404), answer.fhir  # 404: nothing of the service is open at all
    return {instant(TEN)} if answer.status_code == 200 and answer.fhir["parameter"][0]["valueBoolean"] else set()


SEARCHES = {
    "medplum": medplum,
    "argonaut": argonaut,
    "prefetch": prefetch,
    "published": published,
    "explain": explained,
    "page": page,
}


@pytest.mark.parametrize("closure", CLOSURES)
def test_closed_time_is_offered_nowhere(service, closure):
    api = api_with()
    assert all(instant(TEN) in find(api, service) for find in SEARCHES.values()), "open before"
    model, changes = CLOSURES[closure]
    assert model.objects.update(**changes)
    assert {name for name, find in SEARCHES.items() if instant(TEN) in find(api, service)} == set()


@pytest.mark.parametrize("name", CLOSED_ACTORS)
def test_time_that_is_closed_for_all_services_is_offered_nowhere_until_it_is_opened_again(service, name):
    api, model = api_with(), CLOSED_ACTORS[name]
    actor = {model.__name__.lower(): model.objects.filter(**OF_THE_VISIT.get(name, {})).first()} if model else {}
    closure = Closure.objects.create(**actor, first=monday(12).date(), last=monday(12).date())
    assert {name for name, find in SEARCHES.items() if instant(TEN) in find(api, service)} == set()
    Closure.objects.filter(pk=closure.pk).update(removed_at=TEN)
    assert all(instant(TEN) in find(api, service) for find in SEARCHES.values())
