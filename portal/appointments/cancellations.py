"""The page that cancels a visit, or several that were booked together, for an account, a guest or by a manage link."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from portal.appointments import several
from portal.appointments.forms import CancelForm
from portal.appointments.refunds import refund_text
from portal.appointments.refusals import refusal_text, series_refusal_text
from portal.appointments.several import Several
from portal.appointments.visits import Visit
from portal.common import form_drafts
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import StatusRequest
from scheduling.errors import SchedulingError


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A visit to cancel, its caller, the address of its page, and the one that follows."""

    visit: Visit
    caller: Caller
    page: str
    after: str
    by_link: bool = False

    def answer(self, request: HttpRequest, *, now: datetime) -> HttpResponse:
        """Ask for confirmation, then cancel. When it is too late, say what to do instead."""
        if not self.visit.is_promised:
            return redirect(self.page)
        together = several.requested(request, self.visit, self.caller)
        is_possible = bool(together.cancellable) if together else self.visit.is_changeable
        form = form_drafts.form(request, CancelForm) if is_possible or request.method == "POST" else None
        if request.method == "POST" and form and form.is_valid():
            form_drafts.done(request)
            return self._cancel(request, form.cleaned_data["reason"], together, now)
        context = {
            "visit": self.visit,
            "form": form,
            "back": self.page,
            "by_link": self.by_link,
            "several": together,
            "is_possible": is_possible,
            "refund": refund_text(together.cancellable if together else [self.visit]),
        }
        return render(request, "portal/appointments/cancel.html", context)

    def _cancel(self, request: HttpRequest, reason: str, together: Several | None, now: datetime) -> HttpResponse:
        cancelled = StatusRequest(reason={"text": reason} if reason else None)
        try:
            if together is None:
                booking.cancel(self.visit.id, cancelled, caller=self.caller, now=now)
                done = _("Your visit has been cancelled.")
            else:
                those = replace(cancelled, only=[each.id for each in together.cancellable])
                ended = booking.cancel_series(self.visit.id, together.which, those, caller=self.caller, now=now)
                done = several.cancelled_text(len(ended))
        except SchedulingError as refusal:
            messages.error(request, refusal_text(refusal) if together is None else series_refusal_text(refusal))
            return redirect(self.page)
        messages.success(request, done)
        return redirect(self.after)
