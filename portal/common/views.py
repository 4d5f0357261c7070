"""Views for the language and the colours of all pages."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_POST, require_safe
from django.views.i18n import set_language as set_cookie

from portal.common import languages, theme
from portal.common.callers import caller_of
from portal.common.frames import frame_of


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Change the language of the pages and, for a patient, of messages; then go back to the page before."""
    response: HttpResponse = set_cookie(request)
    chosen = response.cookies.get(settings.LANGUAGE_COOKIE_NAME)
    patient = caller_of(request).patient
    if chosen and patient:
        languages.keep(patient, chosen.value)
    return response


@require_safe
@condition(etag_func=lambda request: f'"{theme.version(frame_of(request))}"')
@cache_control(public=True, max_age=24 * 3600)
def stylesheet(request: HttpRequest) -> HttpResponse:
    """Return the stylesheet of the clinic's accent colour, or of the frame's look."""
    return HttpResponse(theme.css(frame_of(request)), content_type="text/css; charset=utf-8")
