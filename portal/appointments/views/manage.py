"""A visit by its secret link, without signing in: the least that is needed, and nothing changes on a GET."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from clinic import phones
from portal.appointments import visits
from portal.appointments.forms import BirthDateForm, CancelForm, OwnPhoneForm
from portal.appointments.visits import Visit
from portal.common import typed
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import SchedulingError
from scheduling.notifications import links

KNOWN = "birth-dates-known"  # the session's key for the visits whose patient's birth date was said
KNOWN_FOR = timedelta(minutes=30)


@never_cache
@require_http_methods(["GET", "POST"])
@typed.page
def manage(request: HttpRequest, token: str) -> HttpResponse:
    """When and where, and what one can do. The details after the birth date."""
    now = timezone.now()
    visit = visit_of(token, now)
    if visit is None:
        return _expired(request)
    form = _proof_form(request, visit)
    if request.method == "POST" and form.is_valid() and _is_known_by(request, visit, form, now):
        typed.done(request)
        return redirect("portal:manage", token)
    context = {"visit": visit, "token": token, "form": form, "known": is_known(request, visit, now)}
    return render(request, "portal/manage/visit.html", context)


@never_cache
@require_POST
def attend(request: HttpRequest, token: str) -> HttpResponse:
    """The patient will come."""
    now = timezone.now()
    visit = visit_of(token, now)
    if visit is None:
        return _expired(request)
    try:
        booking.confirm_attendance(visit.id, caller=Caller(visit=visit.id), now=now)
        messages.success(request, _("Thank you. The clinic knows that you will come."))
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:manage", token)


@never_cache
@require_http_methods(["GET", "POST"])
@typed.page
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Ask once more, then cancel."""
    now = timezone.now()
    visit = visit_of(token, now)
    if visit is None:
        return _expired(request)
    if not visit.is_promised:
        return redirect("portal:manage", token)
    form = typed.form(request, CancelForm)
    if request.method == "POST" and form.is_valid():
        typed.done(request)
        return _cancel(request, visit, token, form.cleaned_data["reason"], now)
    context = {"visit": visit, "form": form, "back": reverse("portal:manage", args=[token]), "by_link": True}
    return render(request, "portal/appointments/cancel.html", context)


def visit_of(token: str, now: datetime) -> Visit | None:
    """The visit that the link is for, unless the link has expired."""
    appointment_id = links.read_manage_link(token)
    visit = visits.by_link(appointment_id, now=now) if appointment_id else None
    return None if visit is None or links.is_over(visit.appointment, now=now) else visit


def is_known(request: HttpRequest, visit: Visit, now: datetime) -> bool:
    """Whether this browser has said the patient's birth date a short while ago."""
    said = request.session.get(KNOWN, {}).get(visit.id)
    return said is not None and now < datetime.fromisoformat(said) + KNOWN_FOR


def ask_birth_date(request: HttpRequest, visit: Visit, token: str, now: datetime) -> HttpResponse:
    """First when the patient was born, then the page that was asked for."""
    if request.method == "POST" and not {"birth_date_day", "phone", typed.LANGUAGE} & request.POST.keys():
        return redirect(request.get_full_path())  # a time was chosen after the birth date was forgotten
    form = _proof_form(request, visit)
    if request.method == "POST" and form.is_valid() and _is_known_by(request, visit, form, now):
        typed.done(request)
        return redirect(request.get_full_path())
    return render(request, "portal/manage/birth_date.html", {"visit": visit, "token": token, "form": form})


def _proof_form(request: HttpRequest, visit: Visit) -> BirthDateForm | OwnPhoneForm:
    """Ask for the birth date, or for the telephone number where the clinic knows no day of birth."""
    patient = visit.appointment.patient
    if patient is not None and patient.birth_date is None and phones.dialled(patient.phone):
        return typed.form(request, OwnPhoneForm)
    return typed.form(request, BirthDateForm)


def _is_known_by(request: HttpRequest, visit: Visit, form: BirthDateForm | OwnPhoneForm, now: datetime) -> bool:
    caller = Caller(visit=visit.id)
    try:
        if isinstance(form, OwnPhoneForm):
            field, wrong = "phone", _("That is not the telephone number that the clinic has for this patient.")
            right = booking.is_own_phone(visit.id, form.cleaned_data["phone"], caller=caller, now=now)
        else:
            field, wrong = "birth_date", _("That is not the date of birth that the clinic has for this patient.")
            right = booking.is_birth_date(visit.id, form.cleaned_data["birth_date"], caller=caller, now=now)
    except SchedulingError as refusal:
        form.add_error(field, str(refusal))
        return False
    if not right:
        form.add_error(field, wrong)
        return False
    request.session[KNOWN] = {**request.session.get(KNOWN, {}), visit.id: now.isoformat()}
    return True


def _cancel(request: HttpRequest, visit: Visit, token: str, reason: str, now: datetime) -> HttpResponse:
    try:
        booking.cancel(visit.id, caller=Caller(visit=visit.id), now=now, reason={"text": reason} if reason else None)
        messages.success(request, _("Your visit is cancelled. The time is free for someone else."))
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:manage", token)


def _expired(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/manage/expired.html", status=410)
