"""The models NoticeSettings and StaffNotice: what a member of staff wants to be told, and what they are told."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.labels import Choices


class StaffNotice(models.Model):
    """The notice to a member of staff that something has happened to a visit they see.

    `version` tells two notices of a kind about one visit apart. It waits for its email until `due`, so that changes
    within minutes make one email, and is on the open pages until it is `seen`. Without `due` it is on the pages alone,
    and one that is `seen` from the start goes by email alone.
    """

    class Kind(Choices):
        BOOKED = "booked", _("New visit")
        MOVED = "moved", _("Visit moved")
        CANCELLED = "cancelled", _("Visit cancelled")
        REQUEST = "request", _("Request")
        FAILED = "failed", _("Message not sent")

    user = models.ForeignKey("clinic.User", models.CASCADE, related_name="notices", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    appointment = models.ForeignKey("clinic.Appointment", models.CASCADE, related_name="+", db_index=False)
    version = models.BigIntegerField()
    occurred = models.DateTimeField(db_index=True)
    due = models.DateTimeField(null=True)
    seen = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-occurred", "-pk"]
        indexes = [
            models.Index(fields=["due"], name="staff_notice_due", condition=models.Q(due__isnull=False)),
            models.Index(fields=["user", "-occurred"], name="staff_notice_of_user"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "appointment", "kind", "version"], name="staff_notice_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.user}"


class NoticeSettings(models.Model):
    """The kinds of notice that a member of staff wants, by email and on the open pages, and the hour of their digest.

    Who has no row is told of requests by email. `digested` is the day of the last digest, `version` counts the changes.
    """

    user = models.OneToOneField("clinic.User", models.CASCADE, related_name="notice_settings")
    email = ArrayField(models.CharField(max_length=10, choices=StaffNotice.Kind), default=list, blank=True)
    pages = ArrayField(models.CharField(max_length=10, choices=StaffNotice.Kind), default=list, blank=True)
    digest_at = models.TimeField(null=True, blank=True)
    digested = models.DateField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    def __str__(self) -> str:
        return str(self.user)


DEFAULT_EMAIL = (StaffNotice.Kind.REQUEST,)
