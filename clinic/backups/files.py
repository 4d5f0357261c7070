"""The files of a backup: the dump of the database, and a manifest that tells what must be in it."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from clinic.backups.programs import BackupError

NAME = re.compile(r"clinic-(\d{8}T\d{6}Z)\.dump")
STAMP = "%Y%m%dT%H%M%SZ"
PARTIAL = ".partial"
PARTIAL_KEPT = timedelta(days=1)  # longer than any backup takes


@dataclass(frozen=True)
class Manifest:
    """The facts about a dump, by which it is checked before and after it is restored."""

    made: str
    version: str
    postgresql: str
    sha256: str
    rows: dict[str, int]


def path_of(folder: Path, made: datetime) -> Path:
    return folder / f"clinic-{made.astimezone(UTC):{STAMP}}.dump"


def manifest_path(dump: Path) -> Path:
    return dump.with_suffix(".json")


def newest(folder: Path) -> Path:
    """Return the newest backup of a folder. Raises BackupError if it has none."""
    backups = sorted(_backups(folder))
    if not backups:
        raise BackupError(f"There is no backup in {folder}.")
    return backups[-1][1]


def temporary_path(folder: Path) -> Path:
    """Return the path of a new and empty file that only its owner reads."""
    with NamedTemporaryFile(dir=folder, prefix=".", suffix=PARTIAL, delete=False) as file:
        return Path(file.name)


def write(temporary: Path, dump: Path, manifest: Manifest) -> None:
    """Write the manifest, and give the dump its name when both are safe on the disk."""
    text = temporary_path(dump.parent)
    text.write_text(json.dumps(asdict(manifest), indent=1) + "\n")
    for written in (text, temporary):
        _sync(written)
    text.replace(manifest_path(dump))
    temporary.replace(dump)
    _sync(dump.parent)


def read_manifest(dump: Path) -> Manifest:
    """Return the manifest of a dump, which has the checksum that it states. Raises BackupError."""
    try:
        manifest = Manifest(**json.loads(manifest_path(dump).read_text()))
        found = sha256(dump)
    except OSError as error:
        raise BackupError(f"{error.filename} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise BackupError(f"{manifest_path(dump)} is no manifest of a backup.") from error
    if found != manifest.sha256:
        raise BackupError(f"{dump} is damaged: its checksum is not that of its manifest. Take another backup.")
    return manifest


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prune(folder: Path, *, kept: timedelta, now: datetime) -> list[Path]:
    """Delete the backups that are older than `kept`, but never the newest, and what was left by some that broke off.

    Return the dumps that were deleted.
    """
    old = [path for made, path in sorted(_backups(folder))[:-1] if made < now - kept]
    for dump in old:
        dump.unlink()
        manifest_path(dump).unlink(missing_ok=True)
    for partial in folder.glob(f".*{PARTIAL}"):
        if datetime.fromtimestamp(partial.stat().st_mtime, UTC) < now - PARTIAL_KEPT:
            partial.unlink()
    return old


def _backups(folder: Path) -> Iterator[tuple[datetime, Path]]:
    """Yield the backups of a folder, with when they were made."""
    for path in folder.glob("clinic-*.dump"):
        if name := NAME.fullmatch(path.name):
            yield datetime.strptime(name[1], STAMP).replace(tzinfo=UTC), path


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are safe on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
