"""Views of the people whom the caller cares for and can book for."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic.models import RelatedPerson
from portal.common import form_drafts
from portal.common.callers import caller_of, sign_in_required
from portal.family.forms import DependantForm, relationship_of, relationship_word
from scheduling import access


@sign_in_required
@require_GET
def family(request: HttpRequest) -> HttpResponse:
    """List the people whom the caller cares for."""
    people = [{"related": each, "word": relationship_word(each)} for each in _own(request)]
    return render(request, "portal/family/index.html", {"people": people})


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
        has_account=patient.user_id is not None,
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
        related.deleted_at = related.last_updated = timezone.now()
        related.version += 1
        related.save()
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
