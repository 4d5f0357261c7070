"""Everything about one patient, of a clinic with a long past, without reading a large part of that past."""

import pytest

from clinic.models import Appointment, Patient
from tests.api.access.world import app_of
from tests.factories import UserFactory
from tests.long_past import clinic_with_a_past, is_much, noon_of_today, rows_read

pytestmark = pytest.mark.django_db


def test_everything_about_a_patient_reads_a_small_part_of_the_past(api):
    noon = noon_of_today()
    clinic_with_a_past(noon)
    visit = Appointment.objects.filter(status="booked", start__gt=noon).select_related("patient").latest("start")
    patient = visit.patient
    patient.user = UserFactory()
    Patient.objects.filter(pk=patient.pk).update(user=patient.user)
    for client in (api, app_of(patient, "patient/*.rs")):
        with rows_read() as read:
            assert client.get(f"{patient.reference}/$everything").fhir["total"] > 20
        assert not is_much(read), read
