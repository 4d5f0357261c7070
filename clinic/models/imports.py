"""The models ImportFile, RefusedLine and ImportedRow: lists of another system that a clinic takes over."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clinic.encryption import CannotDecrypt, decrypt, encrypt
from clinic.exact_json import ExactJSONField
from clinic.labels import Choices

PURPOSE = "import"


class ImportKind(Choices):
    """The lists that can be imported, in the order in which a clinic imports them."""

    PATIENTS = "patients", "Patients"
    PRACTITIONERS = "practitioners", "Practitioners"
    SERVICES = "services", "Services"
    HOURS = "hours", "Hours"
    APPOINTMENTS = "appointments", "Visits"


class ImportFile(models.Model):
    """A CSV file that a manager has sent, and how far its import is.

    The text is encrypted, since it is about patients, and deleted with the row by clinic.retention. `columns` are the
    numbers of the file's columns by the names of the fields. `position` is the number of lines that the current step
    has done; it is saved in the transaction that does them, so that a step goes on where it was stopped.
    """

    class Status(Choices):
        SENT = "sent", "Columns to choose"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        WRITING = "writing", "Being imported"
        DONE = "done", "Imported"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Stopped by an error"
        UNDONE = "undone", "Undone"

    kind = models.CharField(max_length=20, choices=ImportKind)
    name = models.CharField(max_length=200)
    encrypted = models.TextField()
    header = ArrayField(models.CharField(max_length=200), default=list)
    lines = models.PositiveIntegerField()
    columns = ExactJSONField(default=dict)
    language = models.CharField(max_length=10)
    status = models.CharField(max_length=10, choices=Status, default=Status.SENT)
    only_good = models.BooleanField("only the lines that are right", default=False)
    position = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created = models.DateTimeField()
    finished = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-created", "-pk"]
        indexes = [
            models.Index(fields=["created"], name="import_in_work", condition=Q(status__in=["checking", "writing"]))
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        """The text of the file; empty if it was encrypted with a key that is no longer known."""
        try:
            return decrypt(self.encrypted, PURPOSE)
        except CannotDecrypt:
            return ""

    @text.setter
    def text(self, text: str) -> None:
        self.encrypted = encrypt(text, PURPOSE)

    @property
    def is_in_work(self) -> bool:
        return self.status in (self.Status.CHECKING, self.Status.WRITING)


class RefusedLine(models.Model):
    """A line of a file that cannot be imported, and why, in the language of the file's sender."""

    file = models.ForeignKey("clinic.ImportFile", models.CASCADE, related_name="refused")
    line = models.PositiveIntegerField(help_text="The first line below the header is 1.")
    reason = models.TextField()

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["file", "line"], name="refused_line_once")]

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"


class ImportedRow(models.Model):
    """The resource that a row of another system has become, so that no row is imported twice.

    `is_new` is False for a patient who was registered already.
    """

    kind = models.CharField(max_length=20, choices=ImportKind)
    number = models.CharField(max_length=200, help_text="The other system's number of the row.")
    fhir_id = models.CharField(max_length=64)
    is_new = models.BooleanField()
    file = models.ForeignKey("clinic.ImportFile", models.SET_NULL, null=True, related_name="rows")

    class Meta:
        ordering = ["kind", "number"]
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="imported_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"
