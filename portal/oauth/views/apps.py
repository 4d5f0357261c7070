"""Views of the apps to which a user has given access."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal.common.callers import caller_of, sign_in_required
from portal.oauth.app_access import App, apps
from scheduling import access


@sign_in_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the user's apps, with their permissions and patients."""
    return render(request, "portal/oauth/index.html", {"apps": _own(request)})


@sign_in_required
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, client_id: str) -> HttpResponse:
    """Ask for confirmation, then end the app's access."""
    app = next((each for each in _own(request) if each.application.client_id == client_id), None)
    if app is None:
        raise Http404
    if request.method == "POST":
        user: Any = caller_of(request).user
        access.revoke_app(user, client_id, now=timezone.now())
        messages.success(request, _("%(name)s no longer has access.") % {"name": app.application.name})
        return redirect("portal:apps")
    return render(request, "portal/oauth/stop.html", {"app": app})


def _own(request: HttpRequest) -> list[App]:
    user = caller_of(request).user
    return apps(access.active_launches(user, now=timezone.now())) if user else []
