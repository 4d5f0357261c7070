"""Benchmark of booking: its speed, and whether a free time is ever refused: `python -m benchmarks.book`.

Every question is for another free time and another patient, so every answer must be 201. Baseline in the same run:
pgbench with the same inserts (an Appointment, its Slots, an audit line) in one transaction, on the same server.
"""

import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, islice

import orjson

from benchmarks.load import Ask, Measured, measure
from benchmarks.report import table
from benchmarks.stage import Stage, stage

ROUNDS = 5
BOOKINGS = 200  # a round
KINDS = ("spread over 1,000 schedules", "all on one schedule", "three schedules at once")


def main() -> None:
    with stage() as running:
        asks = {kind: bookings_of(running, kind) for kind in KINDS}
        measured: dict[tuple[str, int], list[Measured]] = {}
        for round_ in range(ROUNDS + 1):
            for kind in KINDS:
                for clients in (1, 8):
                    outcome = measure(running.askers(clients), list(islice(asks[kind], BOOKINGS)))
                    if round_:
                        measured.setdefault((kind, clients), []).append(outcome)
        bare = {clients: _pgbench(running, clients) for clients in (1, 8)}

    table(
        f"$book over 200,000 taken Slots; medians of {ROUNDS} rounds of {BOOKINGS}",
        ["what", "clients", "booked/s", "of pgbench", "p50 ms", "p95 ms", "free times refused"],
        [
            [
                kind,
                clients,
                round(statistics.median(each.rate for each in rounds)),
                f"{statistics.median(each.rate for each in rounds) / bare[clients]:.1%}",
                statistics.median(each.p50 for each in rounds),
                statistics.median(each.p95 for each in rounds),
                sum(sum(each.statuses.values()) - each.statuses[201] for each in rounds),
            ]
            for (kind, clients), rounds in measured.items()
        ]
        + [["pgbench, the same inserts", clients, round(rate), "", "", "", ""] for clients, rate in bare.items()],
    )


def bookings_of(running: Stage, kind: str) -> Iterator[Ask]:
    """Free quarters of an hour, a year from now, each once."""
    far = running.first_day + timedelta(days=364)
    patients = count(KINDS.index(kind), len(KINDS))
    for number in count():
        if kind == "spread over 1,000 schedules":
            schedules, at = [f"s{number % 1000 + 1}"], number // 1000
        elif kind == "all on one schedule":
            schedules, at = ["s1"], 5_000 + number
        else:
            schedules, at = ["s2", "s3", "s4"], 20_000 + number
        yield _book(schedules, far + timedelta(minutes=15 * at), next(patients) % 4000 + 1)


def _book(schedules: list[str], start: datetime, patient: int) -> Ask:
    times = {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{start + timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ}"}
    extension = {
        "url": "https://medplum.com/fhir/service-type-reference",
        "valueReference": {"reference": "HealthcareService/always"},
    }
    appointment = {
        "resourceType": "Appointment",
        "status": "proposed",
        **times,
        "serviceType": [{"extension": [extension]}],
        "participant": [
            {"actor": {"reference": f"Patient/pat{patient}"}, "status": "accepted"},
            *({"actor": {"reference": f"Practitioner/p{each[1:]}"}, "status": "needs-action"} for each in schedules),
        ],
        "contained": [
            {"resourceType": "Slot", "status": "busy", "schedule": {"reference": f"Schedule/{each}"}, **times}
            for each in schedules
        ],
    }
    body = {"resourceType": "Parameters", "parameter": [{"name": "appointment", "resource": appointment}]}
    return "POST", "/fhir/R4/Appointment/$book", orjson.dumps(body)


INSERTS = r"""
\set schedule random(1, 1000)
BEGIN;
INSERT INTO clinic_appointment (fhir_id, version, last_updated, extra, status, service_id, patient_id, start, "end",
    created, comment, participant, identifier, held_by_guest, hold_extended, sequence)
VALUES (gen_random_uuid()::text, 1, now(), '{}', 'booked', 1, :schedule,
    '2040-01-01'::timestamptz + nextval('bench') * interval '15 minutes',
    '2040-01-01'::timestamptz + (currval('bench') + 1) * interval '15 minutes',
    now(), '', '[{"actor": {"reference": "Patient/pat1"}, "status": "accepted"}]', '[]', '', false, 0)
RETURNING id \gset booked_
INSERT INTO clinic_slot (fhir_id, version, last_updated, extra, schedule_id, bookable_id, appointment_id, status,
    start, "end", comment, service_type, identifier)
SELECT gen_random_uuid()::text, 1, now(), '{}', id, bookable_id, :booked_id, 'busy',
    '2040-01-01'::timestamptz + currval('bench') * interval '15 minutes',
    '2040-01-01'::timestamptz + (currval('bench') + 1) * interval '15 minutes', '', '[]', '[]'
FROM clinic_schedule WHERE fhir_id = 's' || :schedule ON CONFLICT DO NOTHING;
INSERT INTO clinic_auditevent (fhir_id, version, last_updated, extra, recorded, action, subtype, client,
    reason, appointment_id, patient_id, target, query)
VALUES (gen_random_uuid()::text, 1, now(), '{}', now(), 'C', 'book', 'bench', '', :booked_id, :schedule, '', '');
COMMIT;
"""


def _pgbench(running: Stage, clients: int) -> float:
    """Transactions a second."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE IF NOT EXISTS bench")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(INSERTS)
        script.flush()
        pgbench = running.postgres.program.with_name("pgbench")
        command = [str(pgbench), "-n", "-f", script.name, "-c", str(clients), "-j", "2", "-T", "6"]
        address = ["-h", str(running.postgres.socket_dir), "-U", "clinic", "clinic"]
        said = subprocess.run([*command, *address], capture_output=True, text=True, check=True).stdout
    return float(next(line for line in said.splitlines() if line.startswith("tps")).split()[2])


if __name__ == "__main__":
    main()
