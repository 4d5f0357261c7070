"""The model ServiceType: a type of services that the clinic has named itself."""

from django.db import models
from django.db.models.functions import Lower

LONGEST_NAME = 200


class ServiceType(models.Model):
    """A type of services by the clinic's own name. Services have it as a coding with its code: clinic.service_types."""

    code = models.SlugField(max_length=64, unique=True, editable=False)
    name = models.CharField(max_length=LONGEST_NAME)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="service_type_once",
                violation_error_message="There is a service type with this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name
