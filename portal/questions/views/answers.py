"""Views that show answers, and a preview of a questionnaire for staff."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone, translation
from django.views.decorators.http import require_GET, require_http_methods

from clinic.models import Questionnaire, QuestionnaireResponse
from portal.common import uploads
from portal.common.callers import any_staff_required, caller_of
from portal.questions import parts, posts
from portal.questions.parts import Part
from portal.questions.visit_questions import questions_of, redirect_if_lost, visit_of
from scheduling import access, questionnaire_answers, questionnaires


@require_GET
def answers(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Show the answers for a visit, which can be changed until it begins."""
    now = timezone.now()
    questions = questions_of(request, appointment_id, now)
    changeable = questionnaire_answers.may_answer(questions.appointment, now=now) and not redirect_if_lost(questions)
    forms: dict[int, dict[str, Any]] = {}
    for part in questions.parts:
        forms.setdefault(part.form.questionnaire.pk, {"form": part.form, "part": part})
    context = {"visit": questions.visit, "forms": list(forms.values()), "changeable": changeable}
    return render(request, "portal/questions/answers.html", context)


@require_GET
def file(request: HttpRequest, appointment_id: str, response_id: str, digest: str) -> HttpResponse:
    """Return a file that was uploaded as an answer, if the caller may see the visit."""
    visit = visit_of(request, appointment_id, timezone.now())
    rows = QuestionnaireResponse.objects.filter(appointment=visit.appointment, deleted_at=None)
    response = get_object_or_404(rows.select_related("questionnaire"), fhir_id=response_id)
    if response.questionnaire is None:
        raise Http404
    items = questionnaires.items_of(response.questionnaire)
    files = questionnaires.entries_of(items, response.item, visit.zone).files
    with_data = (each for each in files.values() if each.get("data"))
    found = next((each for each in with_data if questionnaires.hash_in_address(each["hash"]) == digest), None)
    if found is None:
        raise Http404
    return uploads.download(found, "answer")


@any_staff_required
@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest, questionnaire_id: str) -> HttpResponse:
    """Show a questionnaire as patients will see it, on one page; nothing is saved."""
    rows = access.visible(Questionnaire, caller_of(request)).filter(deleted_at=None)
    questionnaire = get_object_or_404(rows, fhir_id=questionnaire_id)
    form = questionnaire_answers.form(questionnaire, None, questionnaires.UTC, translation.get_language() or "")
    page = Part(1, form, form.items)
    changes: dict[str, Any] = {}
    if request.method == "POST":
        posted = posts.read_post(request)
        add, remove = request.POST.get("add", ""), request.POST.get("remove", "")
        page = page.sent(posts.without(posted, form.items, remove) if remove else posted)
        if request.headers.get("accept") == "application/json":
            return JsonResponse({"saved": "", **page.live})
        if add:
            page = page.of(parts.with_row(page.form, add))
        changes = parts.focus(page, add, remove) if add or remove else {"problems": page.problems_of(posted)}
    page.keep_problems(changes.get("problems", ()))
    context = {"part": page, **changes}
    return render(request, "portal/questions/preview.html", context, status=422 if changes.get("problems") else 200)
