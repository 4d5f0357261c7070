"""Where people go once they have signed in, and what a patient's record still needs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods

from portal import visits
from portal.callers import caller_of, patient_of, patient_required, sign_in_for
from portal.forms import PatientDetailsForm


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """The next step of whoever has just signed in."""
    if caller_of(request).is_staff:
        return redirect("portal:day")
    return _patients_start(request)


@patient_required
def _patients_start(request: HttpRequest) -> HttpResponse:
    """To what waits for the patient: a hold to confirm, then visits to come, then a new one."""
    own = visits.of(caller_of(request), patient_of(request), now=timezone.now())
    held = next((visit for visit in own if visit.is_held), None)
    if held:
        return redirect("portal:confirm", held.id)
    return redirect("portal:visits" if any(visit.is_upcoming for visit in own) else "portal:services")


@require_http_methods(["GET", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    """Make the record of a user who has none, then go where they were going."""
    caller = caller_of(request)
    if caller.user is None:
        return sign_in_for(request.get_full_path())
    going = _own_address(request, request.POST.get("next") or request.GET.get("next"))
    if caller.patient:
        return redirect(going)
    form = PatientDetailsForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        form.make_record(caller.user, now=timezone.now())
        return redirect(going)
    return render(request, "portal/accounts/details.html", {"form": form, "next": going})


def _own_address(request: HttpRequest, address: str | None) -> str:
    """An address of this site, never another's."""
    safe = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if address and safe else reverse("portal:start")
