"""Views of the service types that the clinic has named itself."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import ServiceType
from portal.common import form_drafts
from portal.common.callers import caller_of, manager_required
from portal.staff.setup.forms import TypeForm
from scheduling import setup
from scheduling.errors import NotFound, RuleBroken, SchedulingError


@manager_required
@require_GET
def service_types(request: HttpRequest) -> HttpResponse:
    """List the clinic's own service types, each with its services."""
    return render(request, "portal/staff/setup/types.html", {"types": setup.services_of_types()})


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def service_type(request: HttpRequest, type_id: int) -> HttpResponse:
    """Give a service type another name."""
    row = get_object_or_404(ServiceType, pk=type_id)
    form = form_drafts.form(request, TypeForm, initial={"name": row.name})
    if request.method == "POST" and form.is_valid():
        try:
            setup.rename_type(row.pk, form.cleaned_data["name"], caller=caller_of(request), now=timezone.now())
        except SchedulingError as refusal:
            form.add_error("name", str(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, _("Saved."))
            return redirect("portal:setup-types")
    return render(request, "portal/staff/setup/type.html", {"form": form, "row": row})


@manager_required
@require_POST
def remove(request: HttpRequest, type_id: int) -> HttpResponse:
    """Remove a service type that no service has."""
    try:
        setup.remove_type(type_id, caller=caller_of(request))
    except NotFound as missing:
        raise Http404 from missing
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Removed."))
    return redirect("portal:setup-types")
