"""Benchmark of booking: `python -m benchmarks.book [--against REV]`, its speed and whether a free time is refused.

Every question is for another free time and another patient, so every answer must be 201. Baseline in the same run:
pgbench with the same inserts (an Appointment, its Slots, an audit line) in one transaction, on the same server. With
another revision, each round of bookings is made with both in turn.
"""

import argparse
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, islice

import orjson

from benchmarks.load import Ask, Measured, measure
from benchmarks.product import add_against, add_size
from benchmarks.report import compare, table
from benchmarks.rows import insert
from benchmarks.stage import Stage, stages

BOOKINGS = 200  # a round
KINDS = ("spread over 1,000 schedules", "all on one schedule", "three schedules at once")
CLIENTS = (1, 8)
Rounds = dict[tuple[str, int], list[Measured]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how quickly free times are booked.")
    add_against(parser)
    add_size(parser)
    arguments = parser.parse_args()
    with stages(arguments.against, slots=arguments.slots) as running:
        measured = _measure(running, arguments.rounds)
        for stage, rounds in zip(running, measured, strict=True):
            title = f"$book over {arguments.slots:,} taken Slots; medians of {arguments.rounds} rounds of {BOOKINGS}"
            _print(stage, rounds, title)
    if arguments.against:
        title = f"{arguments.against} (old) and this tree (new), in turn"
        compare(title, "what, clients", *(_figures(rounds) for rounds in measured))


def _measure(running: list[Stage], rounds: int) -> list[Rounds]:
    measured: list[Rounds] = [defaultdict(list) for _ in running]
    asks = [{kind: bookings_of(stage.first_day, kind) for kind in KINDS} for stage in running]
    for round_ in range(rounds + 1):
        for kind in KINDS:
            for clients in CLIENTS:
                for stage, of_stage, bookings in zip(running, measured, asks, strict=True):
                    outcome = measure(stage.askers(clients), list(islice(bookings[kind], BOOKINGS)))
                    if round_:  # the first warms up
                        of_stage[kind, clients].append(outcome)
    return measured


def _figures(measured: Rounds) -> dict[str, dict[str, float]]:
    return {
        "booked/s": {
            f"{kind}, {clients}": statistics.median(each.rate for each in rounds)
            for (kind, clients), rounds in measured.items()
        },
        "p50 ms": {
            f"{kind}, {clients}": statistics.median(each.p50 for each in rounds)
            for (kind, clients), rounds in measured.items()
        },
    }


def _print(stage: Stage, measured: Rounds, title: str) -> None:
    bare = {clients: _pgbench(stage, clients) for clients in CLIENTS}
    table(
        f"{title}; {stage.product.name}",
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


def bookings_of(first_day: datetime, kind: str, *, after_days: int = 364) -> Iterator[Ask]:
    """Free quarters of an hour, a year from now unless `after_days` says otherwise, each once."""
    far = first_day + timedelta(days=after_days)
    patients = count(KINDS.index(kind), len(KINDS))
    for number in count():
        if kind == "spread over 1,000 schedules":
            schedules, at = [f"s{number % 1000 + 1}"], number // 1000
        elif kind == "all on one schedule":
            schedules, at = ["s1"], 5_000 + number
        else:
            schedules, at = ["s2", "s3", "s4"], 20_000 + number
        yield book(schedules, far + timedelta(minutes=15 * at), f"pat{next(patients) % 4000 + 1}")


def book(schedules: list[str], start: datetime, patient: str) -> Ask:
    """The request that books the always open service there, a quarter of an hour from `start`."""
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
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            *({"actor": {"reference": f"Practitioner/p{each[1:]}"}, "status": "needs-action"} for each in schedules),
        ],
        "contained": [
            {"resourceType": "Slot", "status": "busy", "schedule": {"reference": f"Schedule/{each}"}, **times}
            for each in schedules
        ],
    }
    body = {"resourceType": "Parameters", "parameter": [{"name": "appointment", "resource": appointment}]}
    return "POST", "/fhir/R4/Appointment/$book", orjson.dumps(body)


def _inserts(stage: Stage) -> str:
    """The script of pgbench."""
    start = "'2040-01-01'::timestamptz + {} * interval '15 minutes'"
    times = {"start": start.format("nextval('bench')"), "end": start.format("(currval('bench') + 1)")}
    appointment = {
        "status": "'booked'",
        "service_id": "1",
        "patient_id": ":schedule",
        "participant": """'[{"actor": {"reference": "Patient/pat1"}, "status": "accepted"}]'""",
        **times,
    }
    slot = {
        "schedule_id": "id",
        "bookable_id": "bookable_id",
        "appointment_id": ":booked_id",
        "status": "'busy'",
        "start": start.format("currval('bench')"),
        "end": times["end"],
    }
    audit_line = {
        "action": "'C'",
        "subtype": "'book'",
        "client": "'bench'",
        "appointment_id": ":booked_id",
        "patient_id": ":schedule",
    }
    with stage.connect() as connection:
        connection.execute("CREATE SEQUENCE IF NOT EXISTS bench")
        schedule = "clinic_schedule WHERE fhir_id = 's' || :schedule"
        return "\n".join(
            [
                r"\set schedule random(1, 1000)",
                "BEGIN;",
                insert(connection, "clinic_appointment", appointment) + r" RETURNING id \gset booked_",
                insert(connection, "clinic_slot", slot, schedule) + " ON CONFLICT DO NOTHING;",
                insert(connection, "clinic_auditevent", audit_line) + ";",
                "COMMIT;",
            ]
        )


def _pgbench(stage: Stage, clients: int) -> float:
    """Transactions a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_inserts(stage))
        script.flush()
        postgres = stage.services.postgres
        pgbench = postgres.program.with_name("pgbench")
        command = [str(pgbench), "-n", "-f", script.name, "-c", str(clients), "-j", "2", "-T", "6"]
        address = ["-h", str(postgres.socket_dir), "-U", "clinic", "clinic"]
        output = subprocess.run([*command, *address], capture_output=True, text=True, check=True).stdout
    return float(next(line for line in output.splitlines() if line.startswith("tps")).split()[2])


if __name__ == "__main__":
    main()
