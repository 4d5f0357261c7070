"""The addresses of the FHIR API: for every type of resource the same ones, and the operations."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, path, re_path

from clinic.fhir.resources import RESOURCES
from scheduling.api.conformance.capability import MetadataView, smart_configuration
from scheduling.api.operations import operation_urls
from scheduling.api.views import InstanceView, NowhereView, SearchView, SystemView, TypeView, VersionView

READ_ONLY = ["get", "head"]


def _addresses(kind: str) -> Iterator[URLPattern]:
    methods = {} if RESOURCES[kind].from_fhir else {"http_method_names": READ_ONLY}
    one = f"{kind}/<fhir_id:fhir_id>"  # the converter is the operations'
    yield path(kind, TypeView.as_view(kind=kind, **methods), name=f"{kind}-type")
    yield path(f"{kind}/_search", SearchView.as_view(kind=kind), name=f"{kind}-search")
    yield path(one, InstanceView.as_view(kind=kind, **methods), name=kind)
    yield path(f"{one}/_history/<str:version>", VersionView.as_view(kind=kind), name=f"{kind}-version")


app_name = "fhir"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", SystemView.as_view(), name="system"),
    path("metadata", MetadataView.as_view(), name="metadata"),
    path(".well-known/smart-configuration", smart_configuration, name="smart-configuration"),
    *operation_urls,
    *(address for kind in RESOURCES for address in _addresses(kind)),
    re_path(r"^(?P<path>.*)$", NowhereView.as_view(), name="nowhere"),
]
