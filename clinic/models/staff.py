"""The models StaffRole and StaffInvitation: the roles of accounts at the clinic, and who is invited."""

from django.db import models
from django.db.models import Q

from clinic.labels import Choices


class StaffRole(models.Model):
    """A role of an account at the clinic, perhaps bounded to a site or to the calendar of one practitioner.

    The other roles follow from other rows: the front desk from User.desk_locations, a practitioner from
    Practitioner.user, an administrator from User.is_superuser. What each role may do: scheduling.access.roles.
    """

    class Role(Choices):
        OWNER = "owner", "Owner"
        MANAGER = "manager", "Manager"
        ASSISTANT = "assistant", "Assistant of one practitioner"
        BILLING = "billing", "Billing"
        READER = "reader", "Read only"

    BOUNDED_TO_SITES = (Role.BILLING, Role.READER)

    user = models.ForeignKey("clinic.User", models.CASCADE, related_name="staff_roles")
    role = models.CharField(max_length=20, choices=Role)
    site = models.ForeignKey(
        "clinic.Location", models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: all sites."
    )
    practitioner = models.ForeignKey(
        "clinic.Practitioner", models.CASCADE, null=True, blank=True, related_name="assistant_roles"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "site", "practitioner"], nulls_distinct=False, name="staff_role_once"
            ),
            models.CheckConstraint(
                condition=Q(role="assistant", practitioner__isnull=False)
                | (~Q(role="assistant") & Q(practitioner__isnull=True)),
                name="staff_role_assists_one",
            ),
            models.CheckConstraint(
                condition=Q(site__isnull=True) | Q(role__in=["billing", "reader"]), name="staff_role_bounded"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.user}"


class StaffInvitation(models.Model):
    """The open invitation of an account that cannot sign in yet. It is deleted when it is accepted or withdrawn."""

    user = models.OneToOneField("clinic.User", models.CASCADE, related_name="staff_invitation")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret in the link.")
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.user)
