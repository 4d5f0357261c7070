"""The model CdsService: a decision support service that is asked before a visit is booked."""

from django.core.validators import URLValidator
from django.db import models


class CdsService(models.Model):
    """A CDS Hooks service for the hook `appointment-book`: https://cds-hooks.hl7.org/

    Its failures are counted, with a sentence about the last one; they never stop a booking.
    """

    name = models.CharField(max_length=100)
    url = models.CharField(
        "address",
        max_length=500,
        validators=[URLValidator(("https", "http"))],
        help_text="Of the service itself, such as https://example.org/cds-services/coverage.",
    )
    active = models.BooleanField(default=True)
    stops = models.BooleanField(
        "critical cards stop the booking",
        default=False,
        help_text="Staff can still book, with a reason. Otherwise every card is only shown.",
    )
    sends_records = models.BooleanField(
        "send the patient and their insurance",
        default=False,
        help_text="The patient's record, and the coverage that is active on the day of the visit.",
    )
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.CharField(max_length=200, blank=True, editable=False)
    last_failed = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = "decision service"
        verbose_name_plural = "decision services"

    def __str__(self) -> str:
        return self.name
