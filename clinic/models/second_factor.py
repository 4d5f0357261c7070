"""The model SecondFactorRule: the roles whose accounts must sign in in two steps."""

from django.db import models
from django.db.models import Q

from clinic.labels import Choices


class AnyRole(Choices):
    """A role of staff, whatever row it follows from: scheduling.access.roles."""

    ADMINISTRATOR = "administrator", "Administrator"
    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    FRONT_DESK = "front-desk", "Front desk"
    PRACTITIONER = "practitioner", "Practitioner"
    ASSISTANT = "assistant", "Assistant of one practitioner"
    BILLING = "billing", "Billing"
    READER = "reader", "Read only"


class SecondFactorRule(models.Model):
    """A role of staff whose accounts must sign in in two steps, and from when: clinic.second_factor."""

    role = models.CharField(max_length=20, unique=True, choices=AnyRole)
    required_from = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(role__in=AnyRole.values), name="second_factor_rule_role")]

    def __str__(self) -> str:
        return str(self.get_role_display())
