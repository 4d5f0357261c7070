"""Where people go once they have signed in, and what a patient's record still needs."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed, user_signed_up
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods

from clinic.models import User
from portal.appointments import visits
from portal.booking import guests, steps
from portal.common import typed
from portal.common.callers import caller_of, details_for, sign_in_for
from portal.common.forms import PatientDetailsForm


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """The next step of whoever has just signed in: a hold to confirm comes first."""
    caller = caller_of(request)
    if caller.user is None:
        return sign_in_for(request.get_full_path())
    own = visits.of(caller, now=timezone.now())
    held = next((visit for visit in own if visit.is_held), None)
    if held:
        return redirect(steps.next_page(held, caller))
    if caller.is_staff:
        return redirect("portal:day")
    if not caller.patients:
        return details_for(request.get_full_path())
    return redirect("portal:visits" if any(visit.is_upcoming for visit in own) else "portal:services")


@receiver(user_signed_up, dispatch_uid="record_of_new_account")
@receiver(email_confirmed, dispatch_uid="record_of_proven_account")
def recognise(user: User | None = None, email_address: EmailAddress | None = None, **_kwargs: Any) -> None:
    """An account's address has been proven: what its owner booked before as a guest is theirs."""
    owner = email_address.user if email_address else user
    if owner:
        guests.record_of_account(owner, now=timezone.now())


@require_http_methods(["GET", "POST"])
@typed.page
def details(request: HttpRequest) -> HttpResponse:
    """Make the record of a user who has none, then go where they were going."""
    caller = caller_of(request)
    if caller.user is None:
        return sign_in_for(request.get_full_path())
    going = _own_address(request, request.POST.get("next") or request.GET.get("next"))
    if caller.patient:
        return redirect(going)
    form = typed.form(request, PatientDetailsForm)
    if request.method == "POST" and form.is_valid():
        typed.done(request)
        form.make_record(caller.user, now=timezone.now())
        guests.record_of_account(caller.user, now=timezone.now())
        return redirect(going)
    return render(request, "portal/accounts/details.html", {"form": form, "next": going})


def _own_address(request: HttpRequest, address: str | None) -> str:
    """An address of this site, never another's."""
    safe = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if address and safe else reverse("portal:start")
