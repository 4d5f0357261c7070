"""The root URLconf. It includes the others by name, since clinic must not import api and portal."""

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from clinic import health
from clinic.monitoring.views import metrics

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/", include("portal.account.allauth_urls")),
    path("accounts/", include("allauth.account.urls")),
    path("oauth/", include("api.oauth_urls")),
    path(settings.FHIR_BASE_PATH.removesuffix("/"), include("api.base_urls")),
    path(settings.FHIR_BASE_PATH, include("api.urls")),
    path("", include("portal.urls")),
]
if getattr(settings, "ANYMAIL", {}).get("WEBHOOK_SECRET"):  # without it anybody could tell us anything
    urlpatterns.insert(0, path("anymail/", include("anymail.urls")))
if apps.is_installed("demo"):
    urlpatterns.insert(0, path("demo/messages/", include("demo.urls")))

handler400 = "portal.common.error_pages.bad_request"
handler500 = "portal.common.error_pages.server_error"
