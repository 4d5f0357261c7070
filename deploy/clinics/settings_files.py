"""The settings files of the clinics: one for each, and one for what all of them share."""

import fcntl
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import unquote, urlsplit

import environ

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 20  # systemd makes a user of it, and a restore check a database with the time behind it
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
SHARED = "shared"  # the name of the file for all clinics
PORTS = range(8001, 32_000)
HEADING = """\
# Settings of one clinic, for its units of systemd and for python -m deploy.clinics. docs/operate.md has all of them.
# Still to be added, here or for all clinics in shared.env: EMAIL_URL, DEFAULT_FROM_EMAIL, CLINIC_PHONE, CLINIC_COUNTRY.
"""


class ClinicError(Exception):
    """Something that cannot be done. The text says why, and what to do."""


@dataclass(frozen=True)
class Clinic:
    """A clinic of this installation, with the settings of its file and of the shared one."""

    name: str
    file: Path
    settings: Mapping[str, str]

    @property
    def hosts(self) -> list[str]:
        return [host.strip() for host in self.settings.get("ALLOWED_HOSTS", "").split(",") if host.strip()]

    @property
    def port(self) -> int:
        return int(self.settings.get("GRANIAN_PORT") or 8000)

    @property
    def password(self) -> str:
        """The password of the clinic's role."""
        return unquote(urlsplit(self.settings.get("DATABASE_URL", "")).password or "")


@dataclass(frozen=True)
class Folder:
    """The folder with the settings files."""

    path: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other command write settings files meanwhile: two clinics would get the same port.

        Raises ClinicError if this one cannot write them.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with ExitStack() as stack:
                descriptor = os.open(self.path, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise ClinicError(f"{self.path} cannot be written: {error.strerror}. Run this as its owner.") from error

    def clinics(self) -> list[Clinic]:
        """Return all clinics, by name. Raises ClinicError if their files cannot be read."""
        if self.path.exists() and not os.access(self.path, os.R_OK | os.X_OK):
            raise ClinicError(f"{self.path} cannot be read. Run this as its owner.")
        shared = self.shared()
        files = sorted(file for file in self.path.glob("*.env") if file.stem != SHARED)
        return [Clinic(file.stem, file, shared | _read(file)) for file in files]

    def clinic(self, name: str) -> Clinic:
        """Return the clinic of this name. Raises ClinicError if there is none."""
        clinics = {clinic.name: clinic for clinic in self.clinics()}
        if name not in clinics:
            there_are = f"there are {', '.join(clinics)}" if clinics else "there are none yet"
            raise ClinicError(f"There is no clinic {name} in {self.path}; {there_are}.")
        return clinics[name]

    def shared(self) -> dict[str, str]:
        """Return the settings that all clinics share."""
        file = self.path / f"{SHARED}.env"
        return _read(file) if file.exists() else {}

    def free_port(self) -> int:
        """Return the first port that no clinic of this folder has."""
        taken = {clinic.port for clinic in self.clinics()}
        return next(port for port in PORTS if port not in taken)

    def write(self, name: str, settings: Mapping[str, str]) -> Clinic:
        """Write the file of a new clinic, which only its owner reads, and return the clinic."""
        file = self.path / f"{name}.env"
        with NamedTemporaryFile("w", dir=self.path, prefix=".", delete=False) as temporary:  # its mode is 0600
            temporary.write(HEADING + "".join(f"{key}={_quoted(value)}\n" for key, value in settings.items()))
            temporary.flush()
            os.fsync(temporary.fileno())
        os.replace(temporary.name, file)
        return Clinic(name, file, self.shared() | _read(file))


def check_name(name: str) -> str:
    """Return the name if a clinic can have it. Raises ClinicError."""
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME or name == SHARED:
        raise ClinicError(
            f"{name!r} is no name for a clinic: up to {LONGEST_NAME} lower-case letters and digits, with single hyphens"
            f" between them, such as north or north-2, and not {SHARED}."
        )
    return name


def check_host(host: str, others: Sequence[Clinic]) -> str:
    """Return the host name if no other clinic is served on it. Raises ClinicError."""
    if not HOST.fullmatch(host):
        raise ClinicError(
            f"{host!r} is no host name: write it such as visits.north.example, without https:// or a port."
        )
    for other in others:
        if host in other.hosts:
            raise ClinicError(
                f"{host} is the host of the clinic {other.name} already. Each clinic needs one of its own."
            )
    return host


def check_title(title: str) -> str:
    """Return the name that patients read. Raises ClinicError for one that a settings file cannot hold."""
    if not title.isprintable() or "\\" in title or title.startswith("$") or not title.strip():
        raise ClinicError("The title must be one line of text, without a backslash, that does not begin with $.")
    return title.strip()


def _read(file: Path) -> dict[str, str]:
    """Return the settings of a file. Raises ClinicError if it cannot be read."""
    found: dict[str, str] = {}

    class Reader(environ.Env):  # type: ignore[misc]  # its package has no types
        ENVIRON = found  # else it writes into os.environ

    try:
        Reader.read_env(io.StringIO(file.read_text()))
    except OSError as error:
        raise ClinicError(f"{file} cannot be read: {error.strerror}. Run this as its owner.") from error
    if not re.fullmatch(r"\d{0,5}", found.get("GRANIAN_PORT", "")):
        raise ClinicError(f"GRANIAN_PORT in {file} must be the number of a port.")
    return found


def _quoted(value: str) -> str:
    """Return a value as systemd and django-environ read it alike."""
    escaped = value.replace('"', '\\"')
    return value if re.fullmatch(r"[\w.:/?=@%+,-]*", value) else f'"{escaped}"'
