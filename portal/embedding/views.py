"""Views of the script that embeds the booking in the clinic's own site, and of the snippet to copy there."""

from functools import cache
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_GET, require_safe

from clinic.embedding import allowed_origins
from portal.common.callers import staff_required
from portal.embedding.forms import SnippetForm
from scheduling.notifications import links

SCRIPT = "static/js/embed.js"
KEPT = 3600  # seconds: a site that shows the booking gets a new script within the hour


@cache
def _script() -> bytes:
    source: bytes = (settings.BASE_DIR / SCRIPT).read_bytes()
    return source


@require_safe
@condition(etag_func=lambda _request: f'"{sha256(_script()).hexdigest()[:16]}"')
@cache_control(public=True, max_age=KEPT)
def script(request: HttpRequest) -> HttpResponse:
    """Return the script, at an address that stays."""
    return HttpResponse(
        _script(),
        content_type="text/javascript; charset=utf-8",
        headers={"Cross-Origin-Resource-Policy": "cross-origin"},
    )


@staff_required
@require_GET
def snippet(request: HttpRequest) -> HttpResponse:
    """Show the snippet to copy into the clinic's own site."""
    form = SnippetForm(request.GET)
    options = form.options if form.is_valid() else {}
    context = {
        "form": form,
        "origins": allowed_origins(),
        "script": _script_tag(options),
        "iframe": _iframe(options),
    }
    return render(request, "portal/embedding/snippet.html", context)


def _script_tag(options: dict[str, str]) -> str:
    """The script tag, and the link for readers without JavaScript."""
    attributes = format_html_join("", ' data-{}="{}"', options.items())
    words = _("Book a visit")
    return format_html(
        '<script src="{}" data-title="{}"{} async></script>\n<noscript><a href="{}">{}</a></noscript>',
        links.absolute(reverse("portal:embed-script")),
        words,
        attributes,
        links.absolute(_page(options)),
        words,
    )


def _iframe(options: dict[str, str]) -> str:
    """Return an iframe without a script, whose height does not adapt."""
    look = ",".join(f"{name}-{value}" for name, value in options.items() if name != "service") or "-"
    return format_html(
        '<iframe src="{}" title="{}" width="100%" height="900"></iframe>',
        links.absolute(f"/embed/{look}{_page(options)}"),
        _("Book a visit"),
    )


def _page(options: dict[str, str]) -> str:
    service = options.get("service")
    return reverse("portal:choose-time", args=[service]) if service else reverse("portal:services")
