"""Making a clinic: its settings file, its role and database, and the tables. What was begun is gone on with."""

import secrets
from dataclasses import dataclass
from os import environ
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.clinics import databases, programs
from deploy.clinics.databases import database_name
from deploy.clinics.settings_files import Clinic, ClinicError, Folder, check_host, check_name, check_title

REDIS = "redis://127.0.0.1:6379/0"


@dataclass(frozen=True)
class NewClinic:
    """Request for a new clinic. `database_host` is empty if its processes reach PostgreSQL as this one does."""

    name: str
    host: str
    title: str
    database_host: str
    backups: Path


def make(folder: Folder, request: NewClinic) -> Clinic:
    """Make a clinic, or finish one that was begun, and return it. Raises ClinicError."""
    name = database_name(check_name(request.name))
    with databases.administered() as server:
        with folder.locked():
            clinic = _begun(folder, request) or _begin(folder, request, server)
        if not clinic.password:
            raise ClinicError(f"DATABASE_URL in {clinic.file} must have the password of the role {name}.")
        server.make(name, clinic.password)
    if programs.manage(clinic, "migrate", "--noinput", "--verbosity=0"):
        raise ClinicError(f"{clinic.name} has no tables yet: mend what is said above, then run the same command again.")
    return clinic


def _begun(folder: Folder, request: NewClinic) -> Clinic | None:
    """Return the clinic if it was made before for the same host. Raises ClinicError if the name is another clinic's."""
    clinic = next((each for each in folder.clinics() if each.name == request.name), None)
    if clinic and request.host not in clinic.hosts:
        served = ", ".join(clinic.hosts) or "no host"
        raise ClinicError(f"There is a clinic {clinic.name} already, on {served} ({clinic.file}). Choose another name.")
    return clinic


def _begin(folder: Folder, request: NewClinic, server: databases.Server) -> Clinic:
    """Write the settings file, before anything that needs its password. Raises ClinicError."""
    host, title = check_host(request.host, folder.clinics()), check_title(request.title or request.name.capitalize())
    name = database_name(request.name)
    if server.has(name):
        raise ClinicError(
            f"PostgreSQL has a role or a database {name} already, and {folder.path} no settings of it."
            f" Put {request.name}.env back, or choose another name."
        )
    settings = {
        "ALLOWED_HOSTS": host,
        "SECRET_KEY": secrets.token_hex(40),
        "DATABASE_URL": _database_url(request.database_host or server.address, name),
        "REDIS_URL": environ.get("REDIS_URL") or folder.shared().get("REDIS_URL") or REDIS,
        "REDIS_PREFIX": request.name,
        "BEHIND_PROXY": "True",
        "GRANIAN_PORT": str(folder.free_port()),
        "BACKUP_DIR": str(request.backups / request.name),
        "OIDC_RSA_PRIVATE_KEY": _rsa_key(),
        "CLINIC_NAME": title,
    }
    return folder.write(request.name, settings)


def _database_url(host: str, name: str) -> str:
    """Return the URL with a new password. The host is a name, with a port or without, or the folder of a socket."""
    login = f"postgresql://{name}:{secrets.token_urlsafe(32)}"
    return f"{login}@/{name}?host={quote(host)}" if host.startswith("/") else f"{login}@{host}/{name}"


def _rsa_key() -> str:
    r"""Return a private key that signs what apps are told of who has signed in, its lines divided by \n."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().replace("\n", "\\n")
