"""Views of recalls for staff: have a patient seen again, and end that."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic.country import clinic_zone
from clinic.time_text import plain_day
from portal.appointments.refusals import refusal_text
from portal.common.callers import caller_of, staff_required
from portal.staff.visits.forms import RecallForm
from scheduling import recalls
from scheduling.errors import NotFound, SchedulingError


@staff_required
@require_POST
def recall(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Have the patient of the visit seen again."""
    form = RecallForm(request.POST)
    now = timezone.now()
    if form.is_valid():
        due = recalls.months_after(now.astimezone(clinic_zone()).date(), form.cleaned_data["months"])
        note = form.cleaned_data["note"]
        try:
            recalls.set_recall(appointment_id, due, note=note, caller=caller_of(request), now=now)
            told = _("The recall is saved for %(day)s. The patient gets a message before then.")
            messages.success(request, told % {"day": plain_day(due)})
        except NotFound:
            raise Http404 from None
        except SchedulingError as refusal:
            messages.error(request, refusal_text(refusal))
    else:
        messages.error(request, _("Choose in how many months."))
    return redirect("portal:staff-visit", appointment_id)


@staff_required
@require_POST
def end_recall(request: HttpRequest, recall_id: str) -> HttpResponse:
    """End a recall that is not needed any more."""
    try:
        ended = recalls.end_recall(recall_id, caller=caller_of(request), now=timezone.now())
    except NotFound:
        raise Http404 from None
    messages.success(request, _("The recall has ended. The patient gets no more messages about it."))
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else reverse("portal:staff-visit", args=[ended.appointment.fhir_id]))
