"""Views of the people whom the caller cares for and can book for."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from clinic.models import RelatedPerson
from portal.common import form_drafts
from portal.common.callers import caller_of, patient_required, sign_in_required
from portal.family.forms import DependantForm, InvitationForm, relationship_of, relationship_word
from scheduling import access, carers
from scheduling.errors import SchedulingError
from scheduling.notifications import links


@sign_in_required
@require_GET
def family(request: HttpRequest) -> HttpResponse:
    """List the people whom the caller cares for, and those who manage the caller's visits."""
    caller, now = caller_of(request), timezone.now()
    people = [{"related": each, "word": relationship_word(each)} for each in _own(request)]
    rows = access.visible(RelatedPerson, caller).filter(patient=caller.patient, deleted_at=None, active=True)
    carers_of_own = rows.exclude(user=None).select_related("user").order_by("pk") if caller.patient else ()
    invitations = carers.invitations_of(caller.patient, now=now) if caller.patient else ()
    context = {"people": people, "carers": carers_of_own, "invitations": invitations}
    return render(request, "portal/family/index.html", context)


@patient_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody to manage the caller's visits."""
    form = form_drafts.form(request, InvitationForm, initial={"access": RelatedPerson.Access.VISITS})
    if request.method == "POST" and form.is_valid():
        try:
            carers.invite(form.invitation, caller=caller_of(request), now=timezone.now())
        except SchedulingError as refusal:
            form.add_error("address", str(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, _("The invitation is on its way. It can be accepted within seven days."))
            return redirect("portal:family")
    return render(request, "portal/family/invite.html", {"form": form})


@sign_in_required
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, carer_id: str) -> HttpResponse:
    """End the access of somebody who manages the caller's visits, or withdraw the invitation."""
    caller = caller_of(request)
    rows = RelatedPerson.objects.filter(patient=caller.patient, deleted_at=None) if caller.patient else None
    carer = get_object_or_404(rows if rows is not None else RelatedPerson.objects.none(), fhir_id=carer_id)
    if request.method == "POST":
        carers.end(carer.fhir_id, caller=caller, now=timezone.now())
        messages.success(request, _("They can no longer see or book your visits."))
        return redirect("portal:family")
    return render(request, "portal/family/end.html", {"carer": carer})


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show the invitation that a link is for, to be accepted with an account, or declined."""
    now, caller = timezone.now(), caller_of(request)
    carer_id = links.read_invitation_link(token)
    rows = RelatedPerson.objects.filter(fhir_id=carer_id, deleted_at=None).select_related("patient")
    carer = rows.first() if carer_id else None
    if carer is None or not carers.is_open(carer, now=now):
        if carer is not None and caller.user is not None and carer.user_id == caller.user.pk:
            return redirect("portal:family")  # it was accepted already
        return render(request, "portal/family/invitation_over.html", status=410)
    if request.method == "POST":
        return _answer(request, carer, now)
    return render(request, "portal/family/invitation.html", {"carer": carer, "shares_all": _shares_all(carer)})


def _answer(request: HttpRequest, carer: RelatedPerson, now: datetime) -> HttpResponse:
    caller, name = caller_of(request), str(carer.patient)
    try:
        if "decline" in request.POST:
            carers.decline(carer.fhir_id, caller=caller, now=now)
            messages.success(request, _("You have declined. %(name)s can invite you again.") % {"name": name})
            return redirect("portal:services")
        carers.accept(carer.fhir_id, caller=caller, now=now)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect(request.path)
    messages.success(request, _("You can now see and book the visits of %(name)s.") % {"name": name})
    return redirect("portal:family")


def _shares_all(carer: RelatedPerson) -> bool:
    return carer.access == RelatedPerson.Access.ALL


@sign_in_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def add(request: HttpRequest) -> HttpResponse:
    """Add a person."""
    form = form_drafts.form(request, DependantForm)
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        patient = form.add(caller_of(request), now=timezone.now())
        messages.success(request, _("You can now book visits for %(name)s.") % {"name": patient.given or patient})
        return redirect("portal:family")
    return render(request, "portal/family/form.html", {"form": form})


@sign_in_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def change(request: HttpRequest, related_id: str) -> HttpResponse:
    """Change the details of a person."""
    related = _one(request, related_id)
    patient = related.patient
    form = form_drafts.form(
        request,
        DependantForm,
        initial={
            "given": patient.given,
            "family": patient.family,
            "birth_date": patient.born,
            "relationship": relationship_of(related),
        },
        has_account=patient.user_id is not None or patient.pk not in caller_of(request).confided,
        keeps_access=related.keeps_access,
    )
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        form.change(related, now=timezone.now())
        messages.success(request, _("Your changes are saved."))
        return redirect("portal:family")
    return render(request, "portal/family/form.html", {"form": form, "related": related})


@sign_in_required
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, related_id: str) -> HttpResponse:
    """Stop booking for a person. The clinic keeps their record."""
    related = _one(request, related_id)
    if request.method == "POST":
        carers.end(related.fhir_id, caller=caller_of(request), now=timezone.now())
        messages.success(request, _("You can no longer book for them. Their visits and their record stay as they are."))
        return redirect("portal:family")
    return render(request, "portal/family/remove.html", {"related": related})


def _own(request: HttpRequest) -> Any:
    caller = caller_of(request)
    rows = access.visible(RelatedPerson, caller).filter(user=caller.user, active=True, deleted_at=None)
    return rows.select_related("patient").order_by("patient__given", "pk")


def _one(request: HttpRequest, related_id: str) -> RelatedPerson:
    related: RelatedPerson | None = _own(request).filter(fhir_id=related_id).first()
    if related is None:
        raise Http404
    return related
