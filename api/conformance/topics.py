"""Topics that can be subscribed to: http://hl7.org/fhir/uv/subscriptions-backport/

R4 has no SubscriptionTopic, so each is a Basic with the elements of R5's as cross-version extensions.
"""

from rest_framework.request import Request
from rest_framework.response import Response

from api.conformance.pages import OpenView
from clinic.fhir.datatypes import Json
from clinic.fhir.subscriptions import NAMES
from clinic.fhir.topics import BACKPORT, TOPICS, Topic
from clinic.version import version
from scheduling.errors import NotFound

CANONICAL = f"{BACKPORT}/capabilitystatement-subscriptiontopic-canonical"
ELEMENT = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic"
TYPE = "http://hl7.org/fhir/StructureDefinition"


class TopicView(OpenView):
    """`[base]/SubscriptionTopic/[id]`, the canonical address of a topic."""

    def get(self, request: Request, fhir_id: str) -> Response:
        if fhir_id not in TOPICS:
            raise NotFound(f"There is no SubscriptionTopic/{fhir_id}.")
        return Response(_definition(TOPICS[fhir_id]))


def topic_canonicals() -> list[Json]:
    """Return the extensions of the CapabilityStatement that name the topics."""
    return [{"url": CANONICAL, "valueCanonical": topic.url} for topic in TOPICS.values()]


def _definition(topic: Topic) -> Json:
    trigger = [
        {"url": "description", "valueMarkdown": topic.text},
        {"url": "resource", "valueUri": f"{TYPE}/{topic.resource}"},
    ]
    includes = [{"url": "include", "valueString": f"{other}:{topic.resource.lower()}"} for other in topic.others]
    shape = [{"url": "resource", "valueUri": f"{TYPE}/{topic.resource}"}, *includes]
    return {
        "resourceType": "Basic",
        "id": topic.id,
        "extension": [
            {"url": f"{ELEMENT}.url", "valueUri": topic.url},
            {"url": f"{ELEMENT}.version", "valueString": version()},
            {"url": f"{ELEMENT}.title", "valueString": topic.title},
            {"url": f"{ELEMENT}.status", "valueCode": "active"},
            {"url": f"{ELEMENT}.description", "valueMarkdown": topic.text},
            {"url": f"{ELEMENT}.resourceTrigger", "extension": trigger},
            *({"url": f"{ELEMENT}.canFilterBy", "extension": each} for each in _filters(topic)),
            {"url": f"{ELEMENT}.notificationShape", "extension": shape},
        ],
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
    }


def _filters(topic: Topic) -> list[list[Json]]:
    return [
        [
            {"url": "description", "valueMarkdown": f"As `{kind}?{name}=` in a filter."},
            {"url": "resource", "valueUri": f"{TYPE}/{kind}"},
            {"url": "filterParameter", "valueString": name},
        ]
        for kind in topic.filters
        for name in NAMES[kind]
    ]
