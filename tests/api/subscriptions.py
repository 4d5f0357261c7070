"""A Subscription as Argonaut Scheduling profiles it."""

from typing import Any

ARGONAUT = "http://fhir.org/guides/argonaut-scheduling/StructureDefinition"
ENDPOINT = "https://subscriber.example.org/hook"
WANTED: dict[str, Any] = {
    "resourceType": "Subscription",
    "meta": {"profile": [f"{ARGONAUT}/argo-sub-notif"]},
    "status": "requested",
    "reason": "To keep free times fresh",
    "criteria": "Slot?schedule.actor=Practitioner/chen",
    "_criteria": {
        "extension": [
            {"url": f"{ARGONAUT}/extension-subscription-triggerevent", "valueString": "A slot changes status"},
            {"url": f"{ARGONAUT}/extension-subscription-eventfocus", "valueCode": "Slot"},
        ]
    },
    "channel": {
        "extension": [
            {"url": f"{ARGONAUT}/extension-subscription-payloadprofile", "valueUri": f"{ARGONAUT}/argo-sched-notif"}
        ],
        "type": "rest-hook",
        "endpoint": ENDPOINT,
        "payload": "application/fhir+json",
        "header": ["Authorization: Bearer very-secret", "X-Clinic: Main: Street"],
    },
}
