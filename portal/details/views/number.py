"""Views in which a patient confirms their mobile number, and gets the visits that they booked with it as a guest."""

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import phones
from clinic.models import Patient
from portal.common import codes, form_drafts
from portal.common.callers import caller_of
from portal.common.codes import CodeForm
from portal.details.forms import NumberForm
from portal.details.patient_pages import PatientView, of_patient
from scheduling.errors import SchedulingError
from scheduling.interactions import adoption
from scheduling.interactions.adoption import Adoption

_NUMBER = "number-to-confirm"


def own_number(view: PatientView[[]]) -> PatientView[[]]:
    """Decorator for pages of the caller's own record, where the clinic sends texts."""

    @wraps(view)
    def guarded(request: HttpRequest, patient: Patient) -> HttpResponse:
        if patient != caller_of(request).patient or not settings.SMS_ENABLED:
            raise Http404
        return view(request, patient)

    return guarded


@require_http_methods(["GET", "POST"])
@of_patient
@own_number
@form_drafts.page
def index(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Ask for the number, and send a code to it."""
    form = form_drafts.form(request, NumberForm, initial={"phone": patient.phone})
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        request.session[_NUMBER] = phones.dialled(form.cleaned_data["phone"])
        return _send(request, patient)
    return render(request, "portal/details/number.html", {"patient": patient, "form": form})


@require_http_methods(["GET", "POST"])
@of_patient
@own_number
@form_drafts.page
def code(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Ask for the code. If it is right, the number is the patient's, with the visits that they booked with it."""
    number = request.session.get(_NUMBER)
    if not number:
        return redirect("portal:details-number", patient.fhir_id)
    if "again" in request.POST:
        return _send(request, patient)
    form, now = form_drafts.form(request, CodeForm), timezone.now()
    if request.method == "POST" and form.is_valid() and codes.is_right(request, [number], form, now=now):
        form_drafts.done(request)
        del request.session[_NUMBER]
        return _confirm(request, patient, number)
    context = {"patient": patient, "form": form, "guest": {"phone": number}}
    return render(request, "portal/details/number_code.html", context)


def _send(request: HttpRequest, patient: Patient) -> HttpResponse:
    codes.send(request, [request.session[_NUMBER]], patient.language, now=timezone.now())
    return redirect("portal:details-number-code", patient.fhir_id)


def _confirm(request: HttpRequest, patient: Patient, number: str) -> HttpResponse:
    try:
        found = adoption.confirm_number(number, caller=caller_of(request), now=timezone.now())
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:details-number", patient.fhir_id)
    texts = {
        Adoption.DONE: _("Your number is confirmed. The visits that you booked with it are in your account now."),
        Adoption.NOTHING: _(
            "Your number is confirmed. No other visits were booked with it in your name. If you have booked under"
            " another name, please call the clinic."
        ),
        Adoption.UNCLEAR: _(
            "Your number is confirmed. We cannot tell which visits that were booked with it are yours alone. To have"
            " them added, please call the clinic."
        ),
    }
    tell = messages.warning if found is Adoption.UNCLEAR else messages.success
    tell(request, texts[found])
    return redirect("portal:visits") if found is Adoption.DONE else redirect("portal:details-of", patient.fhir_id)
