"""Rows that background tasks failed on and have set aside."""

from django.db import models


class ParkedRow(models.Model):
    """A row that a background task failed on: the others go on, this one is tried again at `again`.

    `kind` is the table's name, `key` the primary key; for a task that deletes from whole tables, `key` may be empty.
    """

    task = models.CharField(max_length=50)
    kind = models.CharField(max_length=50)
    key = models.CharField(max_length=50, blank=True)
    error = models.CharField(max_length=500)
    attempts = models.PositiveIntegerField(default=1)
    since = models.DateTimeField()
    tried = models.DateTimeField()
    again = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-tried"]
        verbose_name = "row set aside by a background task"
        verbose_name_plural = "rows set aside by background tasks"
        constraints = [models.UniqueConstraint(fields=["task", "kind", "key"], name="parked_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}".strip()
