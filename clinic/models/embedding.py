"""The model EmbedOrigin: a site of the clinic's own on which its booking may be shown."""

from django.db import models
from django.db.models.functions import Now


class EmbedOrigin(models.Model):
    """An origin whose pages may show the booking in a frame, such as https://www.clinic.example.

    The setting EMBED_ORIGINS names more.
    """

    origin = models.CharField(
        max_length=200, unique=True, help_text="Scheme and host of the site, such as https://www.clinic.example."
    )
    added = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["origin"]
        verbose_name = "site that shows the booking"
        verbose_name_plural = "sites that show the booking"

    def __str__(self) -> str:
        return self.origin
