"""The roles of staff: docs/access.md, the table in the code and what the pages do say the same."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.models import Appointment, Patient, QuestionnaireResponse, Schedule, Slot, StaffRole
from scheduling.access import PERMISSIONS, Action, Caller, Role, calendars, visible
from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    CoverageFactory,
    LocationFactory,
    PatientFactory,
    QuestionnaireResponseFactory,
    ScheduleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
PAGE = (Path(settings.BASE_DIR) / "docs" / "access.md").read_text()


class RoleWorld:
    """Ada's visit with Dr Chen, with answers and a coverage that nobody has checked."""

    def __init__(self, ada, chen, checkup, schedule, site):
        self.chen, self.service, self.schedule, self.site = chen, checkup, schedule, site
        day = timezone.now().astimezone(ZoneInfo(NEW_YORK)).date() + timedelta(days=3)
        start = datetime.combine(day, time(10), ZoneInfo(NEW_YORK))
        self.visit = AppointmentFactory(
            patient=ada,
            service=checkup,
            start=start,
            end=start + timedelta(minutes=30),
            schedules=[schedule],
            site=site,
        )
        self.answers = QuestionnaireResponseFactory(appointment=self.visit, patient=ada)
        self.coverage = CoverageFactory(beneficiary=ada)

    def user(self, role: Role):
        """A new account with the role, bounded to this calendar or site where it has bounds."""
        match role:
            case Role.ADMINISTRATOR:
                return UserFactory(is_superuser=True, is_staff=True)
            case Role.FRONT_DESK:
                return UserFactory(desk_locations=[self.site])
            case Role.PRACTITIONER:
                return self.chen.user
        person = self.chen if role == Role.ASSISTANT else None
        user = UserFactory()
        StaffRole.objects.create(user=user, role=role.value, practitioner=person)
        return user


@pytest.fixture
def world(ada, chen, checkup, schedule, site):
    return RoleWorld(ada, chen, checkup, schedule, site)


def page(name: str, *arguments: str) -> str:
    return reverse(f"portal:{name}", args=arguments)


def sees(client: Client, world: RoleWorld) -> bool:
    return client.get(page("staff-visit", world.visit.fhir_id)).status_code == 200


def sees_answers(client: Client, world: RoleWorld) -> bool:
    return client.get(page("answers", world.visit.fhir_id)).status_code == 200


def overbooks(client: Client, world: RoleWorld) -> bool:
    start = world.visit.start.astimezone(ZoneInfo(NEW_YORK))
    posted = {
        "calendar": world.schedule.fhir_id,
        "service": world.service.fhir_id,
        "given": "Nell",
        "family": "Ibarra",
        "birth_unknown": "on",
        "date": f"{start:%Y-%m-%d}",
        "time": f"{start:%H:%M}",
        "extra": "1",
        "override": "In pain",
    }
    client.post(page("staff-new-visit"), posted)
    return Slot.objects.filter(seat__lt=0).exists()


def runs(client: Client, world: RoleWorld) -> bool:
    client.post(page("staff-cancel", world.visit.fhir_id), {"reason": "because"})
    return Appointment.objects.get(pk=world.visit.pk).status == Appointment.Status.CANCELLED


def changes_records(client: Client, world: RoleWorld) -> bool:
    client.post(page("staff-identity", world.visit.fhir_id))
    return Patient.objects.get(pk=world.visit.patient_id).identity_verified


def checks_coverage(client: Client, world: RoleWorld) -> bool:
    address = page("staff-coverage", world.visit.fhir_id, world.coverage.fhir_id)
    client.post(address, {"check": "verified", "version": world.coverage.version})
    world.coverage.refresh_from_db()
    return world.coverage.verification == "verified"


def handles_payments(client: Client, world: RoleWorld) -> bool:
    return client.get(page("staff-payment", world.visit.fhir_id)).status_code == 200


def sets_hours(client: Client, world: RoleWorld) -> bool:
    address = f"/staff/hours/calendars/{world.schedule.fhir_id}/{world.service.fhir_id}/"
    return client.get(address).status_code == 200


def handles_personal_data(client: Client, world: RoleWorld) -> bool:
    return client.get(page("staff-patient-data", world.visit.patient.fhir_id)).status_code == 200


def sets_up(client: Client, world: RoleWorld) -> bool:
    return client.get(page("setup")).status_code == 200


def imports_lists(client: Client, world: RoleWorld) -> bool:
    return client.get(page("imports")).status_code == 200


def exports_everything(client: Client, world: RoleWorld) -> bool:
    return client.get(page("exports")).status_code == 200


def changes_people(client: Client, world: RoleWorld) -> bool:
    return client.get(page("people")).status_code == 200


def makes_owners(client: Client, world: RoleWorld) -> bool:
    client.post(page("people-invite"), {"email": "new@example.com", "roles": "owner"})
    return StaffRole.objects.filter(user__email="new@example.com", role="owner").exists()


def administers(client: Client, world: RoleWorld) -> bool:
    return client.get(reverse("admin:index")).status_code == 200


BEHAVIOUR: dict[Action, Callable[[Client, RoleWorld], bool]] = {
    Action.SEE: sees,
    Action.ANSWERS: sees_answers,
    Action.PAYMENTS: handles_payments,
    Action.HOURS: sets_hours,
    Action.PERSONAL_DATA: handles_personal_data,
    Action.SET_UP: sets_up,
    Action.IMPORT: imports_lists,
    Action.EXPORT: exports_everything,
    Action.PEOPLE: changes_people,
    Action.OWNERS: makes_owners,
    Action.ADMINISTER: administers,
    Action.RECORDS: changes_records,
    Action.COVERAGE: checks_coverage,
    Action.OVERBOOK: overbooks,
    Action.RUN: runs,
}


def documented() -> dict[Role, frozenset[Action]]:
    lines = PAGE.partition("\n## Roles of staff\n")[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    (_, *roles), _, *cells = rows
    return {
        Role(role): frozenset(Action(action) for action, *may in cells if may[place] == "yes")
        for place, role in enumerate(roles)
    }


def test_the_page_and_the_code_have_the_same_table():
    assert documented() == PERMISSIONS
    assert BEHAVIOUR.keys() == set(Action)


@pytest.mark.parametrize("role", Role)
def test_each_role_does_what_the_table_says_and_no_more(role, world):
    client = Client()
    client.force_login(world.user(role))
    assert {action for action, does in BEHAVIOUR.items() if does(client, world)} == PERMISSIONS[role]


@pytest.mark.parametrize("role", [Role.BILLING, Role.READER])
def test_who_only_sees_one_site_sees_nothing_elsewhere(role, world):
    elsewhere = ScheduleFactory(services=[world.service], site=LocationFactory())
    other = AppointmentFactory(service=world.service, schedules=[elsewhere], site=elsewhere.site)
    user = UserFactory()
    StaffRole.objects.create(user=user, role=role.value, site=world.site)
    caller = Caller(user=user)
    assert set(visible(Appointment, caller)) == {world.visit}
    assert set(visible(Patient, caller)) == {world.visit.patient}
    assert list(calendars(caller)) == [world.schedule]
    assert other not in visible(Appointment, caller)


def test_an_assistant_runs_one_calendar(world, ada):
    colleague = ScheduleFactory(services=[world.service], site=world.site)
    AppointmentFactory(service=world.service, schedules=[colleague], site=world.site)
    stranger = PatientFactory()
    caller = Caller(user=world.user(Role.ASSISTANT))
    assert list(calendars(caller)) == [world.schedule]
    assert set(visible(Appointment, caller)) == {world.visit}
    assert stranger not in visible(Patient, caller)


def test_a_role_that_only_sees_adds_no_right_to_change(world):
    """The front desk of one site that also reads all of them changes visits at its own site alone."""
    user = UserFactory(desk_locations=[LocationFactory()])
    StaffRole.objects.create(user=user, role="reader")
    client = Client()
    client.force_login(user)
    assert sees(client, world)
    assert not runs(client, world)


def test_billing_reads_no_answers_by_the_api_either(world):
    assert not visible(QuestionnaireResponse, Caller(user=world.user(Role.BILLING))).exists()
    assert visible(QuestionnaireResponse, Caller(user=world.user(Role.READER))).get() == world.answers


def test_rights_that_come_from_other_rows_cost_no_further_statement(world, django_assert_num_queries):
    caller = Caller(user=UserFactory(desk_locations=[world.site]))
    with django_assert_num_queries(2):  # the practitioner, and the sites with the roles
        assert caller.is_staff
        assert caller.desk_sites == {world.site.pk}


@pytest.mark.parametrize(
    "columns",
    [{"role": "assistant"}, {"role": "owner", "site": True}, {"role": "manager", "practitioner": True}],
    ids=["an assistant of nobody", "an owner of one site", "a manager of one practitioner"],
)
def test_the_database_refuses_bounds_that_a_role_does_not_have(columns, world):
    rows = {"site": world.site, "practitioner": world.chen}
    bounds = {name: rows.get(name) if value is True else value for name, value in columns.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffRole.objects.create(user=UserFactory(), **bounds)


def test_a_role_stands_once(world):
    user = world.user(Role.MANAGER)
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffRole.objects.create(user=user, role="manager")
    assert Schedule.objects.filter(pk__in=calendars(Caller(user=user))).exists()
