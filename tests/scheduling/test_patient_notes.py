"""Internal notes: who may write them, and two colleagues who change one at once."""

from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.utils import timezone

from clinic import retention
from clinic.models import PatientNote
from scheduling.access import Caller
from scheduling.errors import Forbidden, NotFound, VersionConflict
from scheduling.interactions import patient_notes
from tests.factories import AppointmentFactory, PatientFactory, PatientNoteFactory
from tests.scheduling.situations import SOFTWARE, at_once, monday

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_who_change_a_note_at_once_the_second_is_told(ada, boss):
    note = PatientNoteFactory(patient=ada, text="Deaf on the left")
    now = timezone.now()
    acts = [partial(patient_notes.change_note, note.pk, text, caller=boss, now=now) for text in ("one", "two", "three")]
    results = at_once(acts)
    assert sum(isinstance(each, VersionConflict) for each in results) == 2
    assert PatientNote.objects.filter(ended=None).count() == 1
    assert PatientNote.objects.count() == 2


def test_patients_and_software_write_none(ada):
    for caller in (Caller(user=ada.user), SOFTWARE, Caller()):
        with pytest.raises(Forbidden):
            patient_notes.write_note(ada.fhir_id, "x", caller=caller, now=timezone.now())


def test_a_note_about_a_visit_needs_a_visit_of_the_patient(ada, boss, service, chen):
    other = AppointmentFactory(patient=PatientFactory(), service=service, schedules=[chen], start=monday(9))
    with pytest.raises(NotFound):
        patient_notes.write_note(ada.fhir_id, "x", caller=boss, now=timezone.now(), appointment_id=other.fhir_id)


def test_former_notes_are_deleted_with_the_history(ada):
    now = timezone.now()
    long_ago = now - settings.HISTORY_KEPT - timedelta(days=1)
    old = PatientNoteFactory(patient=ada, written=long_ago, ended=long_ago)
    latest = PatientNoteFactory(patient=ada, written=long_ago, replaces=old)
    retention.forget(now=now)
    assert list(PatientNote.objects.values_list("pk", "replaces")) == [(latest.pk, None)]
