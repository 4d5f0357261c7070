"""URLs of the FHIR API: the same for every resource type, and the operations."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, path, re_path

from api.conformance.capability import MetadataView
from api.conformance.openapi import openapi
from api.conformance.pages import DEFINITIONS, DefinitionsView, DefinitionView
from api.conformance.topics import TopicView
from api.operations.urls import operation_urls
from api.publishing.urls import publishing_urls
from api.smart.discovery import openid_configuration, smart_configuration
from api.throttling import limit_address
from api.views import (
    HistoryView,
    InstanceView,
    NowhereView,
    SearchView,
    SystemView,
    TypeView,
    VersionView,
)
from clinic.fhir.resources import RESOURCES

READ_ONLY = ["get", "head"]


def _addresses(kind: str) -> Iterator[URLPattern]:
    methods = {} if RESOURCES[kind].from_fhir else {"http_method_names": READ_ONLY}
    one = f"{kind}/<fhir_id:fhir_id>"  # the converter is the operations'
    yield path(kind, TypeView.as_view(kind=kind, **methods), name=f"{kind}-type")
    yield path(f"{kind}/_search", SearchView.as_view(kind=kind), name=f"{kind}-search")
    yield path(one, InstanceView.as_view(kind=kind, **methods), name=kind)
    yield path(f"{kind}/_history", HistoryView.as_view(kind=kind), name=f"{kind}-type-history")
    yield path(f"{one}/_history", HistoryView.as_view(kind=kind), name=f"{kind}-history")
    yield path(f"{one}/_history/<str:version>", VersionView.as_view(kind=kind), name=f"{kind}-version")


def _definitions(kind: str) -> Iterator[URLPattern]:
    yield path(kind, DefinitionsView.as_view(kind=kind), name=f"{kind}-type")
    yield path(f"{kind}/<fhir_id:fhir_id>", DefinitionView.as_view(kind=kind), name=kind)


app_name = "fhir"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", SystemView.as_view(), name="system"),
    path("_search", SearchView.as_view(), name="search"),
    path("_history", HistoryView.as_view(), name="history"),
    path("metadata", MetadataView.as_view(), name="metadata"),
    path("openapi.json", limit_address(openapi), name="openapi"),
    path(".well-known/smart-configuration", limit_address(smart_configuration), name="smart-configuration"),
    path(".well-known/openid-configuration", limit_address(openid_configuration), name="openid-configuration"),
    *operation_urls,
    *publishing_urls,
    *(address for kind in RESOURCES for address in _addresses(kind)),
    *(address for kind in DEFINITIONS for address in _definitions(kind)),
    path("SubscriptionTopic/<fhir_id:fhir_id>", TopicView.as_view(), name="topic"),
    re_path(r"^(?P<path>.*)$", NowhereView.as_view(), name="nowhere"),
]
