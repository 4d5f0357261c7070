"""A CDS Hooks service that says if the patient of a visit is insured on its day.

It answers the hook `appointment-book` of https://cds-hooks.hl7.org/ with one card: a critical one without active
coverage, else one that names who pays. Standard library only. A real service asks the payer, and checks the signature
of each request with the keys that the header `jku` of its token names.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.simple_server import make_server

Json = dict[str, Any]

ID = "coverage"
SERVICES = {
    "services": [
        {
            "hook": "appointment-book",
            "id": ID,
            "title": "Active coverage",
            "description": "Says if the patient is insured on the day of the visit.",
            "prefetch": {"coverage": "Coverage?patient={{context.patientId}}&status=active"},
        }
    ]
}
SOURCE = {"label": "Coverage check"}


def cards(request: Mapping[str, Any]) -> list[Json]:
    """Return the card about the coverage that was sent with the request."""
    entries = request.get("prefetch", {}).get("coverage", {}).get("entry", [])
    payers = [
        payer["display"]
        for entry in entries
        for payer in entry["resource"].get("payor", [])
        if entry["resource"].get("status") == "active" and "display" in payer
    ]
    if not entries:
        text = "No insurance is active on the day of the visit. Add it, or call the clinic."
        return [{"summary": text, "indicator": "critical", "source": SOURCE}]
    state = "verified" if any(map(_is_verified, entries)) else "not verified by the clinic yet"
    summary = f"Insurance is active and {state}: {', '.join(payers)}" if payers else f"Insurance is active and {state}"
    return [{"summary": summary[:140], "indicator": "info", "source": SOURCE}]


def _is_verified(entry: Json) -> bool:
    """True if the clinic has checked the Coverage: the extension says so that the clinic alone writes."""
    extensions = entry["resource"].get("extension", [])
    return any(
        extension["url"].endswith("/coverageVerification") and extension.get("valueCode") == "verified"
        for extension in extensions
    )


def application(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer `GET /cds-services` and `POST /cds-services/coverage`."""
    address = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if address == ("GET", "/cds-services"):
        status, body = "200 OK", SERVICES
    elif address == ("POST", f"/cds-services/{ID}"):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        status, body = "200 OK", {"cards": cards(json.loads(environ["wsgi.input"].read(length)))}
    else:
        status, body = "404 Not Found", {}
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]


if __name__ == "__main__":
    make_server("127.0.0.1", 8090, application).serve_forever()
