"""The zone and the day of a visit are the same on pages, in messages and files, and in rules."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Appointment, Schedule
from clinic.visit_place import with_chosen_zone
from portal.appointments import visits
from portal.messages import inbox
from portal.templatetags.questions import reading_of
from scheduling import requirements
from scheduling.notifications import snapshot_of
from scheduling.notifications.audience import audience_of
from scheduling.requirements import Requirement
from scheduling.visit_zone import zone_of_place, zone_of_schedule, zones_of, zones_of_place
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    CoverageFactory,
    LocationFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    ScheduleFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db
AUCKLAND = "Pacific/Auckland"


def visit_of(patient, service, *, site=None, own="", general="", actor="", **fields):
    """A visit with zones set for its site, its schedule, its service as a whole and its practitioner."""
    service.scheduling_parameters.update(timezone=general)
    schedule = ScheduleFactory(actor=PractitionerFactory(timezone=actor), services=[service], timezone=own or None)
    visit = AppointmentFactory(
        patient=patient, service=service, site=site, schedules=[schedule], start=monday(9), **fields
    )
    return Appointment.objects.get(pk=visit.pk)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ({"site": "Asia/Tokyo", "own": "Europe/Paris", "general": "Europe/Rome", "actor": AUCKLAND}, "Asia/Tokyo"),
        ({"own": "Europe/Paris", "general": "Europe/Rome", "actor": AUCKLAND}, "Europe/Paris"),
        ({"general": "Europe/Rome", "actor": AUCKLAND}, "Europe/Rome"),
        ({"actor": AUCKLAND}, AUCKLAND),
        ({}, "America/Denver"),
    ],
)
def test_every_reader_of_a_visit_reads_it_by_one_clock(ada, service, settings, names, text):
    settings.CLINIC_TIME_ZONE = "America/Denver"
    site = LocationFactory(timezone=names["site"]) if "site" in names else None
    visit = visit_of(ada, service, **{**names, "site": site})
    message = CommunicationFactory(
        appointment=visit, patient=ada, medium="in-app", status="completed", sent=timezone.now()
    )
    form = QuestionnaireFactory(item=[{"linkId": "when", "text": "When?", "type": "dateTime"}])
    answer = {"linkId": "when", "answer": [{"valueDateTime": "2026-01-05T00:00:00Z"}]}
    response = QuestionnaireResponseFactory(questionnaire=form, appointment=visit, item=[answer])

    page = visits.by_link(visit.fhir_id, visit.patient.fhir_id, now=timezone.now())
    zone = ZoneInfo(text)
    assert zone_of_place(visit) == zone
    assert zones_of([visit]) == {visit.pk: zone}
    assert (page.zone, page.there) == (zone, zone)
    assert [each.zone for each in inbox.entries_of([message])] == [zone]
    assert reading_of(response) == reading_of(response, zone)
    assert audience_of(visit, now=timezone.now()).zone == zone
    assert snapshot_of(visit)["zone"] == text
    assert requirements.day_of(visit) == visit.start.astimezone(zone).date()


@pytest.mark.parametrize(
    ("names", "zone"),
    [
        ({"site": "Asia/Tokyo", "own": "Europe/Paris", "general": "Europe/Rome", "actor": AUCKLAND}, "Asia/Tokyo"),
        ({"own": "Europe/Paris", "general": "Europe/Rome", "actor": AUCKLAND}, "Europe/Paris"),
        ({"general": "Europe/Rome", "actor": AUCKLAND}, "Europe/Rome"),
        ({"actor": AUCKLAND}, AUCKLAND),
        ({}, "America/Denver"),
    ],
)
def test_staff_read_the_times_of_a_schedule_in_the_zone_of_its_visits(service, settings, names, zone):
    settings.CLINIC_TIME_ZONE = "America/Denver"
    service.scheduling_parameters.update(timezone=names.get("general", ""))
    site = LocationFactory(timezone=names["site"]) if "site" in names else None
    schedule = ScheduleFactory(
        actor=PractitionerFactory(timezone=names.get("actor", "")),
        site=site,
        services=[service],
        timezone=names.get("own"),
    )
    assert zone_of_schedule(Schedule.objects.get(pk=schedule.pk)) == ZoneInfo(zone)


def test_the_patient_of_a_visit_by_video_reads_it_by_the_clock_they_chose_and_staff_by_theirs(ada, service):
    service.telehealth = True
    service.save()
    visit = visit_of(ada, service, actor=AUCKLAND, extra=with_chosen_zone({}, ZoneInfo("Europe/Madrid")))
    assert zones_of([visit]) == {visit.pk: ZoneInfo("Europe/Madrid")}
    assert zones_of_place([visit]) == {visit.pk: ZoneInfo(AUCKLAND)}


@pytest.mark.parametrize(("period", "is_enough"), [("start", True), ("end", False)])
def test_coverage_without_a_site_is_judged_on_the_day_of_the_schedule(ada, service, period, is_enough):
    """Monday, 9 AM in New York is Tuesday in Auckland: coverage from Tuesday on counts, coverage until Monday not."""
    service.requires_coverage = True
    service.save()
    visit = visit_of(ada, service, actor=AUCKLAND)
    tuesday = visit.start.astimezone(ZoneInfo(AUCKLAND)).date()
    assert tuesday == visit.start.date() + timedelta(days=1)
    CoverageFactory(beneficiary=ada, **{period: tuesday if period == "start" else tuesday - timedelta(days=1)})
    assert set(requirements.unmet_by_requirement(visit)) == (set() if is_enough else {Requirement.COVERAGE})


def test_zones_cost_one_statement_and_none_where_every_site_is_loaded(ada, service):
    visit_of(ada, service, actor=AUCKLAND)
    visit_of(ada, service, site=LocationFactory(timezone="Asia/Tokyo"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        zones = zones_of_place(list(Appointment.objects.order_by("pk")))
    assert [zone.key for zone in zones.values()] == [AUCKLAND, "Asia/Tokyo"]
    assert len(queries) == 2
    with CaptureQueriesContext(connection) as queries:
        zones_of_place(list(Appointment.objects.exclude(site=None).select_related("site")))
    assert len(queries) == 1
