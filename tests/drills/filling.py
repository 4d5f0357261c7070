"""The clinic of a drill: a service, calendars, patients with email, and software with a token."""

from datetime import timedelta

from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

from clinic.models import AppRegistration
from tests.drills.clients import Clinic
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.factories.calendars import EVERY_DAY

TOKEN = "token-of-the-drill"
SCHEDULES = 6
PATIENTS = 400


def fill(url: str) -> Clinic:
    """Fill the migrated, empty database, and return what clients know."""
    service = ServiceFactory(name="Check-up", interval=30, hours=EVERY_DAY, timezone="UTC", bookable_by="patients")
    for _ in range(SCHEDULES):
        ScheduleFactory(services=[service])
    patients = [PatientFactory().reference for _ in range(PATIENTS)]
    software = Application.objects.create(
        client_id="drill", client_type="confidential", authorization_grant_type="client-credentials"
    )
    AppRegistration.objects.create(application=software, scopes="system/*.cruds")
    expires = timezone.now() + timedelta(days=1)
    AccessToken.objects.create(token=TOKEN, application=software, scope="system/*.cruds", expires=expires)
    return Clinic(url, TOKEN, service.reference, patients)
