"""Settings that the scripts in Python share: the server, the client and the patient; the demo's by default."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

FHIR = os.environ.get("BASE_URL", "http://127.0.0.1:8000/").rstrip("/") + "/fhir/R4/"
CLIENT_ID = os.environ.get("CLIENT_ID", "demo-system")
CLIENT_SECRET = os.environ.get("CLIENT_SECRET", "demo-system-secret")
VISIT_TYPE = os.environ.get("VISIT_TYPE", "https://riverside.example/CodeSystem/visit-types|follow-up")

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
START, END = TOMORROW.isoformat(), (TOMORROW + timedelta(days=28)).isoformat()


def step(text: str) -> None:
    print(f"ok  {text}", flush=True)


def somebody() -> dict[str, Any]:
    """A patient who is new to the server."""
    return {
        "name": [{"family": "Client", "given": [f"Number {datetime.now(UTC).timestamp()}"]}],
        "gender": "unknown",
        "birthDate": "1980-02-29",
    }
