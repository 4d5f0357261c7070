"""The search for patients in a product's process: `python -m benchmarks.patient_costs N` prints rows as JSON."""

import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import django

ROUNDS = 9
BATCH = 1_000
FEW = 5  # patients: with fewer, similar names are looked for too
SYLLABLES = re.findall(r"\w+", "ba do fe gi hu ka lo me ni pu ra so te vi wu za bren stol mar quin")
TYPED = {
    "a whole name": "{given} {family}",
    "a family name": "{family}",
    "two letters": "ma",
    "a birth date": "3/27/1985",
    "the end of a number": "0199",
    "an email address": "patient4711@",
    "a record number": "MRN-4711",
    "a misspelt name": "{misspelt}",
    "a misspelt name and its year": "{misspelt} 1985",
    "nobody": "xylophonist",
}


def measure(count: int) -> list[list[object]]:
    """The row of each search among this many patients, as benchmarks.patients heads it."""
    from clinic import people_search
    from clinic.models import Patient

    add_patients(count)
    sample = Patient.objects.order_by("pk")[count // 2]
    family = sample.family
    values = {"given": sample.given, "family": family, "misspelt": family[:2] + family[3] + family[2] + family[4:]}
    figures: list[list[object]] = []
    for name, pattern in TYPED.items():
        typed = pattern.format(**values)

        def find(typed: str = typed) -> list[Any]:
            rows = Patient.objects.filter(deleted_at=None)
            found = list(people_search.find(rows, typed)[:21])
            return found if len(found) >= FEW else [*found, *people_search.find_near(rows, typed, most=FEW)]

        figures.append([name, *_times(find)])
    return figures


def add_patients(count: int) -> None:
    """Add this many patients, few of whom have the same name."""
    from django.db import connection
    from django.utils import timezone

    from clinic.models import Patient

    now, parts = timezone.now(), len(SYLLABLES)
    for first in range(0, count, BATCH):
        Patient.objects.bulk_create(
            Patient(
                given=f"{SYLLABLES[n % parts]}{SYLLABLES[n // 7 % parts]}".title(),
                family=f"{SYLLABLES[n // 3 % parts]}{SYLLABLES[n // 11 % parts]}{SYLLABLES[n // 131 % parts]}".title(),
                birth_date=date(1930, 1, 1) + timedelta(days=n * 7919 % 33_000),
                phone=f"+1212{n % 10_000_000:07}",
                email=f"patient{n}@example.com",
                identifier=[{"system": "urn:mrn", "value": f"MRN-{n}"}],
                last_updated=now,
            )
            for n in range(first, min(first + BATCH, count))
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE clinic_patient")


def _times(find: Callable[[], list[Any]]) -> list[object]:
    """The median and the longest time in milliseconds, and the number of patients found."""
    found = find()
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        find()
        taken.append((time.perf_counter() - begun) * 1000)
    return [round(statistics.median(taken), 1), round(max(taken), 1), len(found)]


if __name__ == "__main__":
    django.setup()
    print(json.dumps(measure(int(sys.argv[1]))))
