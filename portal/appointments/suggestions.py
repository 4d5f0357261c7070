"""Answers of patients to the time that the clinic suggests for their request."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from portal.appointments.forms import SuggestionForm
from portal.appointments.refusals import refusal_text
from portal.appointments.visits import Visit
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import SchedulingError


def answer(request: HttpRequest, visit: Visit, *, caller: Caller, now: datetime) -> None:
    """Accept or refuse the suggested time as the form says, and show the result as a message. Raises Http404 for other
    forms.
    """
    form = SuggestionForm(request.POST)
    if not form.is_valid():
        raise Http404
    try:
        answered = booking.answer_suggestion(
            visit.id, form.cleaned_data["suggestion"], form.cleaned_data["answer"], caller=caller, now=now
        )
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
        return
    if form.cleaned_data["answer"] == "declined":
        messages.success(request, _("Your request stays as it was. The clinic will answer it."))
    elif answered.is_request:
        messages.success(request, _("The new time is kept for you. The clinic has still to confirm it."))
    else:
        messages.success(request, _("Your visit is booked."))
