"""Views of questionnaires: their questions, written one by one, in their order."""

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic.models import HealthcareService, Questionnaire
from portal.common import form_drafts
from portal.common.callers import caller_of, manager_required
from portal.staff.setup.editing import row_of, row_page
from portal.staff.setup.forms import RowForm
from portal.staff.setup.question_forms import (
    QuestionForm,
    QuestionnaireForm,
    fault_text,
    new_faults,
    question_lines,
)
from scheduling import setup
from scheduling.errors import SchedulingError
from scheduling.questionnaires import question_list
from scheduling.questionnaires.question_list import Json, Place

REMOVED = "removed-question"  # in the session, until another one is removed
STEPS = {"up": -1, "down": 1}


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def questionnaires(request: HttpRequest) -> HttpResponse:
    """List the questionnaires with the visits that they are asked for, and add one."""
    row = Questionnaire()
    form = form_drafts.form(request, QuestionnaireForm, row=row)
    if request.method == "POST" and form.is_valid():
        row = _save(request, row, form.values, version=form.known_version)
        form_drafts.done(request)
        return redirect("portal:setup-questionnaire", row.fhir_id)
    services = HealthcareService.objects.filter(deleted_at=None).order_by("name", "pk")
    rows = Questionnaire.objects.filter(deleted_at=None).prefetch_related(Prefetch("services", services))
    return render(request, "portal/staff/setup/questionnaires.html", {"form": form, "rows": rows})


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def questionnaire(request: HttpRequest, questionnaire_id: str) -> HttpResponse:
    """List the questions of a questionnaire, and change its title and status."""
    row = row_of(Questionnaire, questionnaire_id)
    form = form_drafts.form(request, QuestionnaireForm, row=row)
    return _questions_page(
        request,
        row,
        form,
        "portal/staff/setup/questionnaire.html",
        lines=list(question_lines(row.item)),
        removed=_removed(request, row),
        services=HealthcareService.objects.filter(questionnaires=row, deleted_at=None).order_by("name", "pk"),
    )


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def question(request: HttpRequest, questionnaire_id: str, link_id: str = "") -> HttpResponse:
    """Add or change a question."""
    row = row_of(Questionnaire, questionnaire_id)
    item = question_list.item_named(row.item, link_id) if link_id else None
    if link_id and item is None:
        if request.method != "POST":
            raise Http404
        messages.error(request, _("Somebody else has removed this question meanwhile."))
        return redirect("portal:setup-questionnaire", row.fhir_id)
    form = form_drafts.form(request, QuestionForm, row=row, item=item)
    page = reverse("portal:setup-questionnaire", args=[row.fhir_id])
    return _questions_page(request, row, form, "portal/staff/setup/question.html", item=item, away=page)


@manager_required
@require_POST
def arrange(request: HttpRequest, questionnaire_id: str) -> HttpResponse:
    """Move a question up or down, remove it, or put back the one that was removed last."""
    row = row_of(Questionnaire, questionnaire_id)
    step, link = request.POST.get("step", ""), request.POST.get("question", "")
    removed = _removed(request, row)
    if step == "undo" and removed:
        _arrange(request, row, _put_back(row.item, removed))
    elif question_list.item_named(row.item, link) is None:
        messages.error(request, _("Somebody else has removed this question meanwhile."))
    elif step in STEPS:
        _arrange(request, row, question_list.moved(row.item, link, STEPS[step]))
    elif step == "remove":
        _remove(request, row, link)
    return redirect("portal:setup-questionnaire", row.fhir_id)


def _questions_page(
    request: HttpRequest, row: Questionnaire, form: RowForm, template: str, **context: Any
) -> HttpResponse:
    """Show the form, or save what it says of the questionnaire and go to the page of the questionnaire."""

    def save(form: RowForm) -> None:
        _save(request, row, form.values, version=form.known_version)

    return row_page(
        request,
        form,
        save,
        template=template,
        back="portal:setup-questionnaire",
        back_ids=[row.fhir_id],
        row=row,
        **context,
    )


def _save(request: HttpRequest, row: Questionnaire, values: dict[str, Any], *, version: int) -> Questionnaire:
    return setup.save_questionnaire(row, values, version=version, caller=caller_of(request), now=timezone.now())


def _arrange(request: HttpRequest, row: Questionnaire, items: list[Json]) -> bool:
    """Save the questions in another order or number. False, with a message, if somebody else was faster."""
    try:
        _save(request, row, {"item": items}, version=row.version)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return False
    return True


def _remove(request: HttpRequest, row: Questionnaire, link: str) -> None:
    """Remove a question, unless another one waits for its answer; it is kept in the session, to be put back."""
    items, place = question_list.removed(row.item, link)
    if faults := new_faults(row.item, items):
        for fault in faults:
            messages.error(request, fault_text(fault))
        return
    gone = _gone(row.item, items)
    if _arrange(request, row, items):
        request.session[REMOVED] = {"of": row.fhir_id, "item": gone, "under": place.under, "number": place.number}


def _gone(before: list[Json], after: list[Json]) -> Json:
    """Return the topmost item that is not there any more."""
    left = {item["linkId"] for item in question_list.every_item(after)}
    return next(item for item in question_list.every_item(before) if item["linkId"] not in left)


def _removed(request: HttpRequest, row: Questionnaire) -> Json | None:
    """Return what was removed from the questionnaire last, if it is not there again."""
    removed: Json | None = request.session.get(REMOVED)
    if removed is None or removed["of"] != row.fhir_id:
        return None
    return None if question_list.item_named(row.item, removed["item"]["linkId"]) else removed


def _put_back(items: list[Json], removed: Json) -> list[Json]:
    under = removed["under"] if question_list.item_named(items, removed["under"]) else ""
    return question_list.with_question(items, removed["item"], Place(under, removed["number"]))
