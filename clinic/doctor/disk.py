"""Checks of this machine's disk: there is room, and a backup that is not old."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clinic.doctor.check import Check, Findings

LEAST_FREE = 0.1  # of the disk
NEWEST_BACKUP = timedelta(days=2)  # one is made each night


def folders() -> list[Path]:
    """Return the folders that are written to, the nearest existing one for each."""
    return sorted({_existing(folder) for folder in (settings.BACKUP_DIR, settings.DATA_DIR)})


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.resolve().parents) if path.exists())


def _disk(now: datetime) -> Findings:
    for folder in folders():
        usage = shutil.disk_usage(folder)
        if usage.free < usage.total * LEAST_FREE:
            yield _("The disk of %(folder)s is nearly full: %(percent)d%% are free.") % {
                "folder": folder,
                "percent": usage.free * 100 // usage.total,
            }


def _backups(now: datetime) -> Findings:
    dumps = list(settings.BACKUP_DIR.glob("clinic-*.dump"))
    if not dumps:
        return  # they are made otherwise, or elsewhere
    newest = datetime.fromtimestamp(max(dump.stat().st_mtime for dump in dumps), UTC)
    if now - newest > NEWEST_BACKUP:
        yield _("The newest backup in %(folder)s is of %(day)s: does manage.py backup run each night?") % {
            "folder": settings.BACKUP_DIR,
            "day": f"{newest:%Y-%m-%d}",
        }


CHECKS = (
    Check(gettext_noop("disk"), _disk),
    Check(gettext_noop("backups"), _backups),
)
