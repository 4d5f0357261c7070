"""Views of a referrer's own referrals: the list, a new one, one of them, and withdrawing it."""

from datetime import datetime
from functools import partial

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.country import clinic_zone
from clinic.models import HealthcareService, Patient
from portal.appointments.referrals import STATE_WORDS, documents_of, download, send_link, sending_of
from portal.common import form_drafts
from portal.common.callers import caller_of, referrer_required
from portal.finding.catalogue import bookable
from portal.referrals.forms import ReferralForm
from portal.referrals.own_referrals import own_referral
from scheduling import access, booking
from scheduling.booking import ReferralRequest
from scheduling.errors import SchedulingError
from scheduling.interactions import registration
from scheduling.notifications import links
from scheduling.referrals import ReferralState, read_referrals

ON_A_PAGE = 50


@referrer_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the referrals of the caller, the latest first, with what became of each."""
    rows = access.own_referrals(caller_of(request)).order_by("-authored", "-pk")
    page = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    found = read_referrals(rows[max(page.start_index() - 1, 0) : page.end_index()], now=timezone.now())
    context = {"page": page, "referrals": [(each, STATE_WORDS[each.state]) for each in found]}
    return render(request, "portal/referrals/index.html", context)


@referrer_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def new(request: HttpRequest) -> HttpResponse:
    """Make a referral; then show its link, or go on to choose a time for its patient."""
    now = timezone.now()
    services = referable_services()
    options = {"files": request.FILES} if request.method == "POST" else {}
    form = form_drafts.form(request, ReferralForm, services=services, zone=clinic_zone(), now=now, **options)
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        referral = booking.refer(_request(form, now), caller=caller_of(request), now=now)
        return redirect("portal:referral-book" if "book" in request.POST else "portal:referral", referral.fhir_id)
    return render(request, "portal/referrals/new.html", {"form": form, "services": services})


@referrer_required
@require_GET
def detail(request: HttpRequest, referral_id: str) -> HttpResponse:
    """Show a referral: its link while it is open, and what became of it."""
    referral = own_referral(request, referral_id, timezone.now())
    is_open = referral.state == ReferralState.OPEN
    context = {
        "referral": referral,
        "status": STATE_WORDS[referral.state],
        "is_open": is_open,
        "link": links.ticket_link(referral.row) if is_open else "",
        "documents": documents_of(referral.row),
        "sending": sending_of(referral, caller_of(request)),
    }
    return render(request, "portal/referrals/detail.html", context)


@referrer_required
@require_POST
def send(request: HttpRequest, referral_id: str) -> HttpResponse:
    """Send the link of a referral to its patient."""
    now = timezone.now()
    own_referral(request, referral_id, now)
    return send_link(request, referral_id, "portal:referral", now=now)


@referrer_required
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, referral_id: str) -> HttpResponse:
    """Ask, then end a referral, so that its link gives no visit any more."""
    now = timezone.now()
    referral = own_referral(request, referral_id, now)
    if request.method == "GET":
        return render(request, "portal/referrals/withdraw.html", {"referral": referral})
    try:
        booking.withdraw(referral_id, caller=caller_of(request), now=now)
        messages.success(request, _("The referral is withdrawn. Its link does not work any more."))
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:referral", referral_id)


@referrer_required
@require_GET
def document(request: HttpRequest, referral_id: str, number: int) -> HttpResponse:
    """Return a document that the caller has added to a referral."""
    return download(get_object_or_404(access.own_referrals(caller_of(request)), fhir_id=referral_id), number)


def referable_services() -> list[HealthcareService]:
    """Return the services to which patients can be referred, by name."""
    referred = HealthcareService.objects.filter(bookable_by=HealthcareService.BookableBy.REFERRED)
    return list(bookable(referred.values_list("fhir_id", flat=True)))


def _request(form: ReferralForm, now: datetime) -> ReferralRequest:
    return ReferralRequest(
        service=form.services[form.cleaned_data["service"]],
        reason=form.cleaned_data["reason"],
        valid_until=form.valid_until_moment,
        patient_name=form.patient_name,
        contact_media=form.contact_media,
        register=partial(_patient, form, now) if form.names_patient else None,
        documents=tuple(form.cleaned_data["documents"]),
    )


def _patient(form: ReferralForm, now: datetime) -> Patient:
    """Return the patient of the form, registered now unless they are known. The referrer does not hear which."""
    patient, _is_new = registration.find_or_register(form.patient, Patient.objects.filter(active=True), now=now)
    return patient
