"""The page on which a patient pays what is still due for a visit, for an account, a guest or by a manage link."""

from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.models import Payment
from portal.appointments.forms import AgreeForm
from portal.appointments.visits import Visit, with_dues
from portal.common import form_drafts
from portal.common.middleware import content_security_policy
from scheduling import booking, payments
from scheduling.access import Caller
from scheduling.errors import ScheduleBusy, SchedulingError
from scheduling.notifications import links
from scheduling.payments import Declined, ProviderUnavailable, Terms

LOOKS_AGAIN = 4  # seconds
UNSETTLED = (ProviderUnavailable, Declined, ScheduleBusy)  # the sweep tries again
MOST = 5  # payments that a session remembers
_PAGES = "payment_pages"  # session key: the page of each payment that was begun, since its address may be a secret


@dataclass(frozen=True, slots=True)
class DuePage:
    """The visit as of its `now`, its caller, the address of this page, and the one of the visit."""

    visit: Visit
    caller: Caller
    page: str
    back: str

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Show what is due. POST goes on to the provider's page, or, with `look`, asks it what became of a payment."""
        latest = booking.later_payment_of(self.visit.appointment)
        if request.method == "POST" and "look" in request.POST:
            return self._look(request, latest)
        visit = with_dues([self.visit])[0]
        if request.method == "POST" and not visit.can_be_paid:
            return redirect(self.page)
        terms = booking.later_terms(visit.appointment, visit.due, now=visit.now) if visit.due else None
        form = form_drafts.form(request, AgreeForm if terms else forms.Form)
        if request.method == "POST" and form.is_valid() and (response := self._pay(request, latest, form)):
            return response
        return self._show(request, visit, latest, form, terms)

    def _pay(self, request: HttpRequest, latest: Payment | None, form: forms.Form) -> HttpResponse | None:
        """Redirect to the provider's page; None with an error in the form if that cannot be."""
        now = self.visit.now
        try:
            if latest is not None and latest.is_open and booking.settle_payment(latest, now=now).has_money:
                form_drafts.done(request)
                return redirect(self.page)  # it was paid before, and nobody had told us
            begun = booking.start_later_payment(self.visit.id, caller=self.caller, now=now)
            back = links.absolute(reverse("portal:payment-back", args=[begun.reference]))
            address = booking.open_checkout(
                begun, success_url=back, cancel_url=f"{back}?cancelled", language=get_language() or "", now=now
            )
        except (ProviderUnavailable, Declined):
            form.add_error(
                None, _("The payment page cannot be opened at the moment. Nothing was charged. Please try again.")
            )
            return None
        except SchedulingError as refusal:
            form.add_error(None, str(refusal))
            return None
        remember(request.session, begun, self.page)
        form_drafts.done(request)
        return redirect(address)

    def _look(self, request: HttpRequest, latest: Payment | None) -> HttpResponse:
        try:
            if latest is not None:
                booking.settle_payment(latest, now=self.visit.now)
        except UNSETTLED:
            messages.error(request, _("We cannot reach the payment service at the moment. We keep trying."))
        return redirect(f"{self.page}?paid")

    def _show(
        self, request: HttpRequest, visit: Visit, latest: Payment | None, form: forms.Form, terms: Terms | None
    ) -> HttpResponse:
        is_waiting = "paid" in request.GET and latest is not None and latest.is_open
        status = latest.status if latest else ""
        context = {
            "visit": visit,
            "page": self.page,
            "back": self.back,
            "form": form,
            "terms": terms,
            "is_waiting": is_waiting,
            "is_paid": latest is not None and latest.has_money,
            "was_refused": status == Payment.Status.FAILED,
            "was_let_go": "paid" in request.GET and status == Payment.Status.RELEASED,
            "has_not_paid": "cancelled" in request.GET or "paid" in request.GET,
        }
        response = render(request, "portal/appointments/balance.html", context)
        response["Content-Security-Policy"] = content_security_policy(forms=payments.checkout_origin())
        if is_waiting:
            response["Refresh"] = str(LOOKS_AGAIN)
        return response


def remember(session: SessionBase, payment: Payment, page: str) -> None:
    """Keep the page to which this browser comes back from the provider."""
    kept = {**session.get(_PAGES, {}), str(payment.reference): page}
    session[_PAGES] = dict(list(kept.items())[-MOST:])


def page_of(session: SessionBase, reference: UUID) -> str:
    """Return the page of a payment that was begun in this browser; empty for others."""
    return str(session.get(_PAGES, {}).get(str(reference), ""))
