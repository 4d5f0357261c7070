"""Callers who have no right to what is Ada's: each function signs one in."""

from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    LocationFactory,
    PractitionerFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    UserFactory,
)


def anonymous(client, request):
    pass


def a_guest(client, request):
    """A guest who holds another time in this browser."""
    service = request.getfixturevalue("checkup")
    client.post(reverse("portal:hold", args=[service.fhir_id]), {"time": request.getfixturevalue("button_value")})


def bo(client, request):
    client.force_login(request.getfixturevalue("bo").user)


def a_former_carer(client, request):
    """A former carer of Ada."""
    user = UserFactory()
    RelatedPersonFactory(patient=request.getfixturevalue("ada"), user=user, active=False)
    RelatedPersonFactory(patient=request.getfixturevalue("ada"), user=user, deleted_at=timezone.now())
    client.force_login(user)


def another_practitioner(client, request):
    doctor = PractitionerFactory(user=UserFactory())
    ScheduleFactory(actor=doctor, services=[request.getfixturevalue("checkup")], site=LocationFactory())
    client.force_login(doctor.user)


def another_desk(client, request):
    site = LocationFactory()
    ScheduleFactory(services=[request.getfixturevalue("checkup")], site=site)
    client.force_login(UserFactory(desk_locations=[site]))


EVERYBODY = (anonymous, a_guest, bo, a_former_carer, another_practitioner, another_desk)
