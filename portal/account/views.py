"""Views that follow signing in: the redirect to a first page, and the form for a missing patient record."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed, user_logged_in, user_signed_up
from django.contrib import messages
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import User
from portal.account import sessions
from portal.appointments import visits
from portal.booking import guests, steps
from portal.common import form_drafts
from portal.common.callers import caller_of, details_for, sign_in_for, sign_in_required
from portal.common.forms import PatientDetailsForm
from scheduling.interactions.adoption import Adoption
from scheduling.setup import is_empty


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Redirect somebody who has just signed in to their next step: a hold to confirm comes first."""
    caller = caller_of(request)
    if caller.user is None:
        return sign_in_for(request.get_full_path())
    if caller.user.second_factor_due is not None:
        return redirect("mfa_required")
    own = visits.of(caller, now=timezone.now())
    held = next((visit for visit in own if visit.is_held), None)
    if held:
        return redirect(steps.next_page(held, caller))
    if caller.sets_up and is_empty():
        return redirect("portal:setup")
    if caller.is_staff:
        return redirect("portal:day")
    if not caller.patients and caller.is_referrer:
        return redirect("portal:referrals")
    if not caller.patients:
        return details_for(request.get_full_path())
    return redirect("portal:visits" if any(visit.is_upcoming for visit in own) else "portal:services")


@receiver(user_signed_up, dispatch_uid="record_of_new_account")
@receiver(email_confirmed, dispatch_uid="record_of_proven_account")
def recognise(user: User | None = None, email_address: EmailAddress | None = None, **_kwargs: Any) -> None:
    """Give a new or newly confirmed account the visits that its owner booked before as a guest."""
    owner = email_address.user if email_address else user
    if owner:
        guests.record_of_account(owner, now=timezone.now())


@receiver(user_logged_in, dispatch_uid="visits_by_proven_number")
def bring_visits(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Give the account the visits that its owner has just booked in this browser with a telephone number alone."""
    if guests.adopt_by_number(request.session, user, now=timezone.now()) is Adoption.DONE:
        messages.success(request, _("The visits that you booked with your mobile number are in your account now."))


@require_http_methods(["GET", "POST"])
@form_drafts.page
def details(request: HttpRequest) -> HttpResponse:
    """Create the patient record of a user who has none, then go on to the page they wanted."""
    caller = caller_of(request)
    if caller.user is None:
        return sign_in_for(request.get_full_path())
    destination = _own_address(request, request.POST.get("next") or request.GET.get("next"))
    if caller.patient:
        return redirect(destination)
    form = form_drafts.form(request, PatientDetailsForm)
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        form.make_record(caller.user, now=timezone.now())
        guests.record_of_account(caller.user, now=timezone.now())
        bring_visits(request, caller.user)
        return redirect(destination)
    return render(request, "portal/account/details.html", {"form": form, "next": destination})


@sign_in_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all sessions of the caller but this one."""
    user = caller_of(request).user
    assert user is not None  # sign_in_required
    sessions.end_others(request, user)
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("mfa_list_webauthn")


@sign_in_required
@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one session of the caller."""
    user = caller_of(request).user
    assert user is not None  # sign_in_required
    if sessions.end(user, session_id):
        messages.success(request, _("That session has ended."))
    else:
        messages.error(request, _("That session has already ended."))
    return redirect("mfa_list_webauthn")


def _own_address(request: HttpRequest, address: str | None) -> str:
    """Return the address if it is on this site, else the start page."""
    safe = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if address and safe else reverse("portal:start")
