"""`manage.py load_fhir FILE`: load a FHIR Bundle from another system."""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.utils import timezone
from tqdm import tqdm

from api.formats.parsers import read_object
from clinic.fhir import own_addresses
from clinic.fhir.codes import SERVICE_TYPE
from clinic.fhir.datatypes import Json
from scheduling import interactions, setup
from scheduling.access import Caller
from scheduling.errors import SchedulingError
from scheduling.interactions import BundleRefused, Entry, WriteResult

OPERATOR = Caller(client="load_fhir", scopes=("system/*.cruds",))
NO_DATABASE = "There is no database: start `make demo`, or set DATABASE_URL."


class Command(BaseCommand):
    help = "Load a FHIR R4 Bundle (transaction or collection), all of it or nothing. Loading it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a file of JSON, or - for standard input")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            bundle = read_object(own_addresses.to_stored(_content(file)))
            types = _without_types(bundle)
            written = _load(interactions.entries_of(bundle), types)
        except BundleRefused as refusal:
            self._explain(refusal)
            raise CommandError(f"Nothing was loaded: {_refused(refusal)}.") from refusal
        except SchedulingError as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError(NO_DATABASE) from error
        self.stdout.write(_summary(written))

    def _explain(self, refusal: BundleRefused) -> None:
        for problem in refusal.problems:
            for issue in problem.issues:
                where = f"{issue.expression}: " if issue.expression else ""
                self.stderr.write(f"{problem.reference}: {where}{issue.text}")


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error


def _without_types(bundle: Json) -> list[Json]:
    """Take the CodeSystem of the clinic's own service types out of an export, and return its concepts."""
    entries = bundle.get("entry")
    if not isinstance(entries, list):
        return []
    types = [entry for entry in entries if _has_types(entry)]
    bundle["entry"] = [entry for entry in entries if entry not in types]
    return [concept for entry in types for concept in entry["resource"].get("concept", ())]


def _has_types(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return (
        isinstance(resource, dict)
        and resource.get("resourceType") == "CodeSystem"
        and resource.get("url") == SERVICE_TYPE
    )


def _load(entries: Sequence[Entry], types: Sequence[Json]) -> list[WriteResult]:
    """Write the entries and the service types, with a progress bar on a terminal."""
    # Without the pool, a command fails at once if there is no database.
    connection.settings_dict["OPTIONS"].pop("pool", None)
    with tqdm(total=len(entries), unit=" resources", file=sys.stderr, disable=None, leave=False) as bar:
        progress: Callable[[int], object] = bar.update
        request = interactions.WriteRequest(entries=entries, progress=progress, then=lambda: setup.load_types(types))
        return interactions.write(request, caller=OPERATOR, now=timezone.now())


def _refused(refusal: BundleRefused) -> str:
    refused = len({problem.index for problem in refusal.problems})
    text = f"{refused} of its resources {'is' if refused == 1 else 'are'} refused"
    return f"{text}, {refusal.unseen} that refer to them were not looked at" if refusal.unseen else text


def _summary(written: Sequence[WriteResult]) -> str:
    counts = Counter(each.outcome for each in written)
    parts = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("created", "updated", "unchanged"))
    return f"{len(written)} resources loaded ({parts})"
