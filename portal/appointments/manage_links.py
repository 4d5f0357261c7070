"""Manage links: the visit that a link opens, and the proof of identity that its pages ask for."""

from datetime import datetime, timedelta
from typing import TypeAlias

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clinic.models import Appointment
from portal.appointments import visits
from portal.appointments.forms import BirthDateForm, OwnPhoneForm
from portal.appointments.visits import Visit
from portal.common import codes, form_drafts
from portal.common.codes import CodeForm
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import Proof
from scheduling.errors import SchedulingError
from scheduling.notifications import links
from scheduling.notifications.audience import audience_of
from scheduling.participants import is_group

KNOWN = "birth-dates-known"  # session key: when each visit's birth date, phone number or code was last given
CODE_BUTTONS = {"send", "again"}  # the buttons that ask for a code
KNOWN_FOR = timedelta(minutes=30)

ProofForm: TypeAlias = BirthDateForm | OwnPhoneForm | CodeForm
PROOF_FORMS: dict[Proof, type[ProofForm]] = {
    Proof.BIRTH_DATE: BirthDateForm,
    Proof.PHONE: OwnPhoneForm,
    Proof.CODE: CodeForm,
}


def token_of(appointment: Appointment) -> str:
    """Return the token of the manage link of a visit."""
    return links.manage_link(appointment).rstrip("/").rpartition("/")[2]


def visit_of(token: str, now: datetime) -> Visit | None:
    """Return the visit that the link is for, or None if the link has expired."""
    named = links.read_manage_link(token)
    visit = visits.by_link(*named, now=now) if named else None
    return None if visit is None or links.is_over(visit.appointment, now=now) else visit


def caller_by_link(visit: Visit) -> Caller:
    """Return the holder of the visit's manage link, who acts for its patient."""
    patient = visit.appointment.patient
    series = visit.appointment.series if patient and not is_group(visit.appointment) else None
    return Caller(visit=visit.id, visit_patient=patient.reference if patient else "", visit_series=series)


def is_known(request: HttpRequest, visit: Visit, now: datetime) -> bool:
    """True if the birth date, or the other proof, was given in this browser within KNOWN_FOR."""
    given = request.session.get(KNOWN, {}).get(_key(visit))
    return given is not None and now < datetime.fromisoformat(given) + KNOWN_FOR


def _key(visit: Visit) -> str:
    """The key of the proof in the session: each patient of a visit gives their own."""
    patient = visit.appointment.patient
    return f"{visit.id} {patient.fhir_id}" if patient and is_group(visit.appointment) else visit.id


def ask_birth_date(
    request: HttpRequest, visit: Visit, token: str, now: datetime, *, purpose: str = "move"
) -> HttpResponse:
    """Ask for the patient's birth date, then go on to the requested page: one to `move` the visit, to `check-in`, or
    to `pay`.
    """
    if CODE_BUTTONS & request.POST.keys():
        return send_code(request, visit, now)
    if request.method == "POST" and not {"birth_date_day", "phone", "code", form_drafts.LANGUAGE} & request.POST.keys():
        return redirect(request.get_full_path())  # a time was chosen after the birth date was forgotten
    form = proof_form(request, visit, now)
    if request.method == "POST" and form and form.is_valid() and is_given(request, visit, form, now):
        form_drafts.done(request)
        return redirect(request.get_full_path())
    context = {"visit": visit, "token": token, "form": form, "purpose": purpose, **proof_context(request, visit, now)}
    return render(request, "portal/appointments/birth_date.html", context)


def proof_form(request: HttpRequest, visit: Visit, now: datetime) -> ProofForm | None:
    """Return the form that asks for the patient's proof: birth date, phone number or code.

    None if only a code would do and there is no address to send it to: the page has no form then.
    """
    proof = booking.proof_of(visit.appointment.patient)
    if proof == Proof.CODE and not _emails(visit, now):
        return None
    return form_drafts.form(request, PROOF_FORMS[proof])


def proof_context(request: HttpRequest, visit: Visit, now: datetime) -> dict[str, object]:
    """Return the template's context for the proof; for a code also whether it can be sent and was sent."""
    proof = booking.proof_of(visit.appointment.patient)
    emails = _emails(visit, now) if proof == Proof.CODE else ()
    sent = bool(emails) and codes.is_sent(request.session, emails, now=now)
    return {"proof": proof.name.lower(), "can_be_sent": bool(emails), "code_sent": sent}


def _emails(visit: Visit, now: datetime) -> tuple[str, ...]:
    """Return the email addresses to which the visit's messages go, with the manage link."""
    audience = audience_of(visit.appointment, now=now)
    return audience.emails if audience else ()


def send_code(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    patient, emails = visit.appointment.patient, _emails(visit, now)
    if patient is not None and emails and booking.proof_of(patient) == Proof.CODE:
        codes.send(request, emails, patient.language, now=now)
    return redirect(request.get_full_path())


def is_given(request: HttpRequest, visit: Visit, form: ProofForm, now: datetime) -> bool:
    if isinstance(form, CodeForm):
        return _is_known_by_code(request, visit, form, now)
    caller = caller_by_link(visit)
    try:
        if isinstance(form, OwnPhoneForm):
            field, wrong = "phone", _("That phone number does not match the clinic\u2019s records.")
            right = booking.is_own_phone(visit.id, form.cleaned_data["phone"], caller=caller, now=now)
        else:
            field, wrong = "birth_date", _("That date of birth does not match the clinic\u2019s records.")
            right = booking.is_birth_date(visit.id, form.cleaned_data["birth_date"], caller=caller, now=now)
    except SchedulingError as refusal:
        form.add_error(field, str(refusal))
        return False
    if not right:
        form.add_error(field, wrong)
        return False
    _remember(request, visit, now)
    return True


def _is_known_by_code(request: HttpRequest, visit: Visit, form: CodeForm, now: datetime) -> bool:
    emails = _emails(visit, now)

    def is_right() -> bool:
        return bool(emails) and codes.is_right(request, emails, form, now=now)

    try:
        if not booking.is_own_code(visit.id, is_right, caller=caller_by_link(visit), now=now):
            return False
    except SchedulingError as refusal:
        form.add_error("code", str(refusal))
        return False
    _remember(request, visit, now)
    return True


def _remember(request: HttpRequest, visit: Visit, now: datetime) -> None:
    request.session[KNOWN] = {**request.session.get(KNOWN, {}), _key(visit): now.isoformat()}
