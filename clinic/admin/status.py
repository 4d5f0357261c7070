"""The page that tells administrators how this installation is: its parts, the checks of doctor, and what waits."""

import platform
import shutil
from collections.abc import Iterator
from typing import Any

import django
import redis
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.doctor import CHECKS
from clinic.doctor.disk import folders
from clinic.health import redis_client
from clinic.monitoring.outbox import outbox_figures
from clinic.monitoring.task_runs import task_runs
from clinic.version import version

GIB = 2**30
MIB = 2**20


def status(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Return the page. Long checks are left to `manage.py doctor`. Raises PermissionDenied."""
    if not request.user.is_superuser:
        raise PermissionDenied
    now = timezone.now()
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": gettext_lazy("State of the system"),
        "facts": list(_facts()),
        "checks": [(_(check.name), check.findings(now)) for check in CHECKS if not check.is_long],
        "long_checks": [_(check.name) for check in CHECKS if check.is_long],
        "tasks": task_runs(now=now),
        "outbox": list(outbox_figures(now=now)),
    }
    return TemplateResponse(request, "admin/status.html", context)


def _facts() -> Iterator[tuple[str, str]]:
    yield _("Version"), f"{version()} (Django {django.get_version()}, Python {platform.python_version()})"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT sum(numbackends) FROM pg_stat_database),"
            " current_setting('max_connections')"
        )
        server, size, connections, most = cursor.fetchone()
    yield "PostgreSQL", server
    yield _("Database"), f"{size / MIB:,.0f} MiB"
    yield _("Connections"), _("%(number)d of %(most)s") % {"number": connections, "most": most}
    yield "Redis", _redis()
    for folder in folders():
        usage = shutil.disk_usage(folder)
        free = {"free": f"{usage.free / GIB:,.1f}", "total": f"{usage.total / GIB:,.1f}"}
        yield _("Disk of %(folder)s") % {"folder": folder}, _("%(free)s of %(total)s GiB are free") % free


def _redis() -> str:
    try:
        with redis_client() as client:
            told = client.info()
    except redis.RedisError:
        return _("does not answer")
    return f"{told['redis_version']}, {told['used_memory'] / MIB:,.0f} MiB"
