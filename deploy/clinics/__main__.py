"""The commands of an installation with several clinics: `python -m deploy.clinics --help`."""

import argparse
import os
import sys
from pathlib import Path

from deploy.clinics.making import NewClinic, make
from deploy.clinics.programs import manage, manage_each
from deploy.clinics.proxies import SAMPLES, proxy_settings
from deploy.clinics.settings_files import Clinic, ClinicError, Folder

SETTINGS = "/etc/clinic/clinics"
BACKUPS = "/var/lib/clinic-backups"  # not where the clinics' own processes can write


def main() -> None:
    arguments = _parser().parse_args()
    folder = Folder(Path(os.environ.get("CLINICS_DIR") or SETTINGS))
    try:
        sys.exit(arguments.run(folder, arguments))
    except ClinicError as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.clinics",
        description="Make clinics, and run commands for them. Each has its own database, role and settings file.",
        epilog=f"Settings files are in {SETTINGS}, or in the folder that CLINICS_DIR names.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    create = commands.add_parser("create", help="make a clinic, or finish one whose making was broken off")
    create.add_argument("name", help="a short name, such as north")
    create.add_argument(
        "--host", required=True, help="the host name that it is served on, such as visits.north.example"
    )
    create.add_argument("--title", default="", help="the name that patients read (CLINIC_NAME)")
    create.add_argument(
        "--database-host",
        default="",
        help="where its processes reach PostgreSQL, host[:port] or the folder of a socket, if not as this command does",
    )
    create.add_argument("--backups", type=Path, default=BACKUPS, help="folder of all backups (%(default)s)")
    create.set_defaults(run=_create)

    listing = commands.add_parser("list", help="list the clinics with their hosts, ports and settings files")
    listing.set_defaults(run=_list)

    one = commands.add_parser("manage", help="run a command of manage.py for one clinic")
    one.add_argument("name")
    one.add_argument("command", nargs=argparse.REMAINDER, help="such as createsuperuser")
    one.set_defaults(run=lambda folder, given: manage(folder.clinic(given.name), *given.command))

    each = commands.add_parser("each", help="run a command of manage.py for all clinics, one after another")
    each.add_argument("--keep-going", action="store_true", help="go on with the others after one failed")
    each.add_argument("command", nargs=argparse.REMAINDER, help="such as migrate, or backup")
    each.set_defaults(run=_each)

    proxy = commands.add_parser("proxy", help="print the settings of a proxy for all clinics")
    proxy.add_argument("kind", choices=SAMPLES)
    proxy.set_defaults(run=lambda folder, given: print(proxy_settings(given.kind, _all(folder)), end=""))
    return parser


def _create(folder: Folder, given: argparse.Namespace) -> None:
    clinic = make(folder, NewClinic(given.name, given.host, given.title, given.database_host, given.backups))
    print(_next_steps(clinic))


def _next_steps(clinic: Clinic) -> str:
    return f"""\
{clinic.name} has its database and all tables. Now:
1. Add mail and what is still missing to {clinic.file}, or to shared.env beside it.
2. Make the first account:  {sys.executable} -m deploy.clinics manage {clinic.name} createsuperuser
3. Start its processes:     systemctl enable --now clinic@{clinic.name}.target
4. Lead {clinic.hosts[0]} to port {clinic.port}:  {sys.executable} -m deploy.clinics proxy caddy"""


def _list(folder: Folder, given: argparse.Namespace) -> None:
    for clinic in _all(folder):
        print(f"{clinic.name:20}  {clinic.port:5}  {', '.join(clinic.hosts):40}  {clinic.file}")


def _each(folder: Folder, given: argparse.Namespace) -> None:
    if not given.command:
        raise ClinicError("Which command? For example: each migrate")
    manage_each(_all(folder), given.command, keep_going=given.keep_going)


def _all(folder: Folder) -> list[Clinic]:
    """Return all clinics. Raises ClinicError if there are none."""
    clinics = folder.clinics()
    if not clinics:
        raise ClinicError(f"There is no clinic in {folder.path} yet: make one with create.")
    return clinics


if __name__ == "__main__":
    main()
