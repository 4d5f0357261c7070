"""Internal notes about patients and visits, which only staff see."""

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import AuditEvent, PatientNote
from tests.factories import PatientNoteFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(ada):
    return reverse("portal:staff-patient", args=[ada.fhir_id])


@pytest.fixture
def notes(ada):
    return reverse("portal:staff-notes", args=[ada.fhir_id])


def test_a_note_is_written_and_found_by_its_words(as_rana, record, notes, ada, rana):
    assertRedirects(as_rana.post(notes, {"text": "Pays cash only"}), f"{record}#notes")
    note = PatientNote.objects.get()
    assert (note.patient, note.appointment, note.author) == (ada, None, rana)
    assertContains(as_rana.get(record), "Pays cash only")
    assertContains(as_rana.post(reverse("portal:staff-patients"), {"search": "cash pays"}), "Pays cash only")
    assertNotContains(as_rana.post(reverse("portal:staff-patients"), {"search": "cash card"}), "Pays cash only")
    assert AuditEvent.objects.filter(patient=ada, subtype="note", user=rana).count() == 1


def test_a_note_about_a_visit_is_on_both_pages(as_rana, record, notes, visit):
    visit_page = reverse("portal:staff-visit", args=[visit.fhir_id])
    assertRedirects(as_rana.post(notes, {"text": "Bring the X-ray", "visit": visit.fhir_id}), f"{visit_page}#notes")
    assertContains(as_rana.get(visit_page), "Bring the X-ray")
    assertContains(as_rana.get(record), "Bring the X-ray")


def test_an_empty_note_is_refused(as_rana, notes):
    assertContains(as_rana.post(notes, {"text": " "}), "Write the note first.")
    assert PatientNote.objects.count() == 0


def test_the_history_is_kept(as_rana, record, ada, rana):
    note = PatientNoteFactory(patient=ada, text="Allergic to cats")
    as_rana.post(reverse("portal:staff-note", args=[note.pk]), {"text": "Allergic to dogs"})
    latest = PatientNote.objects.get(ended=None)
    assert (latest.replaces, latest.text) == (note, "Allergic to dogs")
    as_rana.post(reverse("portal:staff-note-remove", args=[latest.pk]))
    assert set(PatientNote.objects.values_list("text", "ended_by")) == {
        ("Allergic to cats", rana.pk),
        ("Allergic to dogs", rana.pk),
    }
    shown = as_rana.get(record)
    assertContains(shown, "No notes yet.")
    for text in ("Changed and removed notes", "Allergic to cats", "Allergic to dogs"):
        assertContains(shown, text)


def test_who_changes_a_note_later_sees_the_colleagues_text_and_keeps_their_own(as_rana, ada, client):
    note = PatientNoteFactory(patient=ada, text="Speaks little English")
    note_page = reverse("portal:staff-note", args=[note.pk])
    colleague = type(client)()
    colleague.force_login(UserFactory(is_superuser=True, first_name="Alex", last_name="Admin"))
    colleague.post(note_page, {"text": "Speaks Polish"})
    shown = as_rana.post(note_page, {"text": "Speaks Ukrainian"})
    for text in ("Alex Admin has changed this note in the meantime", "Speaks Polish", "Speaks Ukrainian"):
        assertContains(shown, text)
    latest = PatientNote.objects.get(ended=None)
    assert latest.text == "Speaks Polish"
    assertContains(shown, f'action="{reverse("portal:staff-note", args=[latest.pk])}"')
    assertContains(
        as_rana.post(reverse("portal:staff-note-remove", args=[note.pk]), follow=True), "A colleague has changed"
    )


def test_patients_never_see_notes_and_flags(client, ada, visit):
    ada.vip, ada.barred_online, ada.barred_reason = True, True, "Secret reason"
    ada.save()
    PatientNoteFactory(patient=ada, appointment=visit, text="Secret note", written=timezone.now())
    client.force_login(ada.user)
    everything = client.get(f"/fhir/R4/Patient/{ada.fhir_id}/$everything")
    assert everything.status_code == 200
    pages = [everything, client.get(reverse("portal:visit", args=[visit.fhir_id])), client.get("/my-details/")]
    pages += [client.get(f"/fhir/R4/Patient/{ada.fhir_id}{more}") for more in ("", "/_history")]
    for page in pages:
        for word in ("Secret", "barred", "vip"):
            assert word not in page.content.decode()
