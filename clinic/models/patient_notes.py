"""The model PatientNote: notes of the staff about a patient, which patients never see."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q

# The words of a note by which staff find it. Notes are in several languages, so words are taken as they are.
NOTE_WORDS = SearchVector("text", config="simple")


class PatientNote(models.Model):
    """An internal note about a patient, or about one of the patient's visits.

    It is not a FHIR resource: no answer, message, feed or export contains it. The text of a note never changes: a
    change is a new note that `replaces` the old one. A note that was replaced or removed has `ended`.
    """

    MOST_LETTERS = 4000

    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="staff_notes", db_index=False)
    appointment = models.ForeignKey(
        "clinic.Appointment", models.PROTECT, null=True, blank=True, related_name="staff_notes"
    )
    text = models.TextField(max_length=MOST_LETTERS)
    author = models.ForeignKey("clinic.User", models.SET_NULL, null=True, related_name="+")
    written = models.DateTimeField()
    replaces = models.OneToOneField("self", models.SET_NULL, null=True, related_name="replacement")
    ended = models.DateTimeField(null=True, db_index=True)
    ended_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-written", "-pk"]
        indexes = [
            models.Index(fields=["patient", "-written"], name="note_of_patient"),
            GinIndex(NOTE_WORDS, name="note_words", condition=Q(ended=None)),
        ]

    def __str__(self) -> str:
        return f"{self.patient}, {self.written:%Y-%m-%d}"
