"""The model StaffMessage: what staff write in their own words to the patients of a selection."""

from django.db import models

SUBJECT_LENGTH = 120
BODY_LENGTH = 1000


class StaffMessage(models.Model):
    """A message in the words of staff, to the patients of the visits of some days and calendars, of an absence, or of
    the waiting list of a service.

    `calendars` are primary keys of schedules; empty means all with which its author works. It is a draft until it is
    `sent`: then there is a Communication for each patient and way, which waits for a minute and can be `withdrawn`.
    """

    calendars = models.JSONField(default=list)
    first = models.DateField(null=True)
    last = models.DateField(null=True)
    absence = models.ForeignKey("clinic.Absence", models.SET_NULL, null=True, related_name="+", db_index=False)
    service = models.ForeignKey("clinic.HealthcareService", models.PROTECT, null=True, related_name="+", db_index=False)
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    body = models.TextField()
    version = models.PositiveIntegerField(default=1)
    created = models.DateTimeField(db_index=True)
    created_by = models.ForeignKey("clinic.User", models.PROTECT, related_name="staff_messages")
    sent = models.DateTimeField(null=True)
    withdrawn = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created", "-pk"]

    def __str__(self) -> str:
        return self.subject
