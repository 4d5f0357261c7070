"""Context of the pages in the demo."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string

from clinic.models import User


def sign_in_hint(request: HttpRequest) -> dict[str, Callable[[], str]]:
    """Add `sign_in_hint`, the accounts of the demo for the sign-in page; empty outside of the demo."""

    def hint() -> str:
        accounts = User.objects.filter(is_demo=True).order_by("pk").values_list("email", flat=True)
        emails = list(accounts) if settings.DEMO else []
        return render_to_string("demo/_sign_in_hint.html", {"emails": emails}) if emails else ""

    return {"sign_in_hint": hint}
