"""What every answer says to the browser: run nothing but ours, keep nothing of a patient's."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from clinic import branding


def content_security_policy() -> str:
    """Everything comes from here; only a clinic's logo may lie elsewhere."""
    images = " ".join(filter(None, ("'self'", "data:", branding.origin(settings.CLINIC_LOGO_URL))))
    rules = {
        "default-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "img-src": images,
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


class SecurityHeaders:
    """No inline script or style runs anywhere, and pages of a signed-in person stay in no cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = content_security_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
