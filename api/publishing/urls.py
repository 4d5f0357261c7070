from django.urls import path

from api.publishing.editions import EDITIONS
from api.publishing.views import file, manifest
from api.throttling import limit_address

publishing_urls = [
    pattern
    for edition in EDITIONS
    for pattern in (
        path(edition.path, limit_address(manifest), {"edition": edition}, name=f"published-{edition.name}"),
        path(
            f"{edition.path}/<str:kind>.ndjson",
            limit_address(file),
            {"edition": edition},
            name=f"published-{edition.name}-file",
        ),
    )
]
