"""Explanations why a visit cannot be booked at a time: each rule in words, with the page that changes it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from scheduling.availability import REASONS, Reason
from tests.factories import EVERY_DAY, RoomFactory, ScheduleFactory, ServiceFactory, SlotFactory

pytestmark = pytest.mark.django_db
WHY = "/staff/why/"


def query(schedule, service, moment):
    return {
        "schedule": schedule.fhir_id,
        "service": service.fhir_id,
        "date": moment.date().isoformat(),
        "time": f"{moment:%H:%M}",
    }


def explained(client, schedule, service, moment):
    return client.get(WHY, query(schedule, service, moment))


def test_it_asks_for_a_time_first(as_rana, schedule):
    page = as_rana.get(WHY)
    assert "explanation" not in page.context
    assertNotContains(page, "Error")


def test_a_free_time_can_be_booked_and_leads_to_the_form(as_rana, schedule, checkup, ten):
    page = explained(as_rana, schedule, checkup, ten)
    assertContains(page, "It can be booked.")
    assertContains(
        page, f"{reverse('portal:staff-new-visit')}?schedule={schedule.fhir_id}&amp;start={ten:%Y-%m-%dT%H:%M}"
    )


def test_each_rule_has_the_page_that_changes_it(as_administrator, schedule, checkup, ten):
    SlotFactory(schedule=schedule, start=ten, end=ten + timedelta(hours=1))
    checkup.booking_horizon_days = 1
    checkup.save()
    hours = {"schedule_id": schedule.fhir_id, "service_id": checkup.fhir_id}
    page = explained(as_administrator, schedule, checkup, ten + timedelta(minutes=7))
    assertContains(page, "It cannot be booked.")
    found = {line.text: line.change.address for line in page.context["explanation"].calendars[0].reasons}
    assert found == {
        str(REASONS[Reason.TAKEN]): f"{reverse('portal:day')}?schedule={schedule.fhir_id}&date={ten:%Y-%m-%d}",
        str(REASONS[Reason.OFF_GRID]): reverse("portal:hours-settings", kwargs=hours),
        str(REASONS[Reason.TOO_FAR]): reverse("portal:hours-settings", kwargs={"service_id": checkup.fhir_id}),
    }
    for address in found.values():
        assert as_administrator.get(address).status_code == 200, address


def test_only_who_may_change_a_rule_has_its_link(as_rana, schedule, checkup, ten):
    checkup.booking_horizon_days = 1
    checkup.save()
    (line,) = explained(as_rana, schedule, checkup, ten).context["explanation"].calendars[0].reasons
    assert (line.text, line.change) == (str(REASONS[Reason.TOO_FAR]), None)


def test_a_service_that_lacks_its_room_says_so_with_the_way_out(client, alex, schedule, site, ten):
    client.force_login(alex)
    surgery = ServiceFactory(name="Surgery", requires=["Practitioner", "Location"], hours=EVERY_DAY)
    schedule.services.add(surgery)
    page = explained(client, schedule, surgery, ten)
    assertContains(page, "A visit also needs a room")
    assertContains(page, reverse("admin:clinic_healthcareservice_change", args=[surgery.pk]))
    room = ScheduleFactory(actor=RoomFactory(), services=[surgery], site=site)
    SlotFactory(schedule=room, start=ten, end=ten + timedelta(hours=1))
    names = [
        (each.name, len(each.reasons))
        for each in explained(client, schedule, surgery, ten).context["explanation"].calendars
    ]
    assert [reasons for _, reasons in names] == [0, 1]


def test_another_clinic_is_not_there(as_rana, checkup, ten):
    elsewhere = ScheduleFactory(services=[checkup])
    assert explained(as_rana, elsewhere, checkup, ten).status_code == 404


def test_a_refused_visit_leads_to_it(as_rana, schedule, checkup, ten, ada):
    SlotFactory(schedule=schedule, start=ten, end=ten + timedelta(hours=1))
    posted = {**query(schedule, checkup, ten), "calendar": schedule.fhir_id, "patient": ada.fhir_id}
    refused = as_rana.post(f"/staff/visits/new/?schedule={schedule.fhir_id}", posted, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assertContains(refused, "See each rule, and where it is changed", status_code=422)
    page = as_rana.get(refused.context["why"])
    assertContains(page, str(REASONS[Reason.TAKEN]))


def test_staff_find_it_on_the_times_page_and_patients_do_not(client, rana, ada, schedule, checkup):
    client.force_login(rana)
    assertContains(client.get(f"/book/{checkup.fhir_id}/"), f"{WHY}?service={checkup.fhir_id}")
    client.force_login(ada.user)
    assertNotContains(client.get(f"/book/{checkup.fhir_id}/"), WHY)
