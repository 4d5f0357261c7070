"""Parts of the benchmarks that run in a product's process: `python -m benchmarks.inside client|statements PATHS`."""

import json
import sys
from datetime import timedelta

import django

TOKEN = "bench-token"


def make_client() -> str:
    """Create a client of the API, and return its token."""
    from django.utils import timezone
    from oauth2_provider.models import AccessToken, Application

    client = Application.objects.create(
        client_id="bench", client_type="confidential", authorization_grant_type="client-credentials"
    )
    AccessToken.objects.create(
        token=TOKEN,
        application=client,
        scope="system/*.cruds",
        expires=timezone.now() + timedelta(days=1),
    )
    return TOKEN


def count_statements(paths: list[str]) -> list[int]:
    """Return the number of SQL statements of each path's second answer; the first may fill caches of the process."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"authorization": f"Bearer {TOKEN}"}, HTTP_HOST="localhost")
    counts = []
    for path in paths:
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        counts.append(len(captured))
    return counts


if __name__ == "__main__":
    django.setup()
    match sys.argv[1:]:
        case ["client"]:
            print(make_client())
        case ["statements", paths]:
            print(json.dumps(count_statements(json.loads(paths))))
