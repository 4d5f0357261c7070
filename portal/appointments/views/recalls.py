"""Views of a recall by its link, without signing in: book the visit, or decline. A GET changes nothing."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from clinic.models import Task
from clinic.visit_place import phone_of
from scheduling import recalls
from scheduling.notifications import links


@never_cache
@require_safe
def recall(request: HttpRequest, token: str) -> HttpResponse:
    """Show the patient that the visit is due, with a link to its times, and a button to decline."""
    found = _found(token)
    asked = {"service": found.service.fhir_id}
    if found.practitioner is not None:
        asked["practitioner"] = found.practitioner.fhir_id
    times = f"{reverse('portal:services')}?{urlencode(asked)}"
    context = {"recall": found, "times": times, "token": token, "phone": phone_of(found.appointment.site)}
    return render(request, "portal/appointments/recall.html", context)


@never_cache
@require_POST
def decline(request: HttpRequest, token: str) -> HttpResponse:
    """Record that the patient does not want the visit."""
    recalls.decline_recall(_found(token).fhir_id, now=timezone.now())
    messages.success(request, _("Thank you. We will not ask you again."))
    return redirect("portal:recall", token)


def _found(token: str) -> Task:
    """Return the recall of a link. Raises Http404 for an invalid token, or one that was deleted."""
    rows = Task.objects.select_related("service", "practitioner", "appointment__site")
    found = rows.filter(fhir_id=links.read_recall_link(token), deleted_at=None).first()
    if found is None:
        raise Http404
    return found
