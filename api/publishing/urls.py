from django.urls import path

from api.publishing.editions import EDITIONS
from api.publishing.views import file, manifest

publishing_urls = [
    pattern
    for edition in EDITIONS
    for pattern in (
        path(edition.path, manifest, {"edition": edition}, name=f"published-{edition.name}"),
        path(f"{edition.path}/<str:kind>.ndjson", file, {"edition": edition}, name=f"published-{edition.name}-file"),
    )
]
