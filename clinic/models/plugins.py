"""The model PluginFailure: plug-ins that raised an error or took too long."""

from django.db import models


class PluginFailure(models.Model):
    """The failures of one method of a plug-in, and the kind of error of the last one."""

    plugin = models.CharField("plug-in", max_length=100)
    method = models.CharField(max_length=50)
    error = models.CharField(max_length=100)
    count = models.PositiveIntegerField("failures", default=1)
    since = models.DateTimeField()
    last = models.DateTimeField()

    class Meta:
        ordering = ["-last"]
        verbose_name = "failure of a plug-in"
        verbose_name_plural = "failures of plug-ins"
        constraints = [models.UniqueConstraint(fields=["plugin", "method"], name="plugin_failure_once")]

    def __str__(self) -> str:
        return f"{self.plugin}, {self.method}"
