"""A visit's questions: asked page by page, kept while one types, changed later, read."""

from base64 import b64decode
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import words
from clinic.models import Appointment, Questionnaire, QuestionnaireResponse
from portal import disclosures, holds, questions, steps, visits
from portal.callers import caller_of, staff_required
from portal.questions import Part
from portal.steps import Progress
from portal.visits import Visit
from scheduling import access, answering, booking, questionnaires
from scheduling.errors import RuleBroken, SchedulingError
from scheduling.questionnaires import Posted


@dataclass(frozen=True)
class Asked:
    """Who is asked what: a visit and all its pages of questions."""

    visit: Visit
    parts: list[Part]

    @property
    def appointment(self) -> Appointment:
        return self.visit.appointment

    @property
    def is_optional(self) -> bool:
        service = self.appointment.service
        return service is not None and not service.requires_questionnaires

    def part(self, number: int) -> Part:
        found = next((part for part in self.parts if part.number == number), None)
        if found is None:
            raise Http404
        return found


@require_GET
def start(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """To the first page that lacks an answer; where nothing is asked, to what comes next."""
    asked = _asked(request, appointment_id, timezone.now())
    if not asked.parts:
        return redirect(_next(request, asked))
    if any(part.form.is_stopped for part in asked.parts):
        return redirect("portal:questions-stop", asked.visit.id)
    return redirect("portal:questions-part", asked.visit.id, questions.to_answer(asked.parts).number)


@require_http_methods(["GET", "POST"])
def part(request: HttpRequest, appointment_id: str, number: int) -> HttpResponse:
    """One page of questions: shown, kept, judged, and on to the next."""
    now = timezone.now()
    asked = _asked(request, appointment_id, now)
    page = asked.part(number)
    if not answering.may_answer(asked.appointment, now=now):
        return redirect("portal:answers" if asked.visit.takes_place else "portal:visit", asked.visit.id)
    if request.method == "GET":
        return _over(asked) or _show(request, asked, page, problems=page.problems if "check" in request.GET else ())
    posted = questions.read_post(request)
    if name := request.POST.get("add"):
        return _changed(request, asked, page, posted, now, add=name)
    if name := request.POST.get("remove"):
        return _changed(request, asked, page, posted, now, remove=name)
    if "keep" in request.POST and asked.visit.is_held:
        return _longer(request, asked, page, posted, now)
    return _go_on(request, asked, page, posted, now)


def _go_on(request: HttpRequest, asked: Asked, page: Part, posted: Posted, now: datetime) -> HttpResponse:
    sent = _with(page, posted)
    new, wrong = sent.newly_asked(posted), sent.problems_of(posted)
    skips = "skip" in request.POST and asked.is_optional
    done = questions.is_last(sent) and not (new or wrong) and not skips
    kept = page.of(_keep(request, asked, page, posted, now, done=done))
    if kept.form.is_stopped:
        return redirect("portal:questions-stop", asked.visit.id)
    if over := _over(asked):
        return over
    if skips:
        return redirect(_next(request, asked))
    if new or wrong:
        return _show(request, asked, kept, problems=wrong, new=[] if wrong else [node.name for node in new])
    parts = [each.of(kept.form) if each.form is page.form else each for each in asked.parts]
    if following := questions.after(parts, page.number):
        return redirect("portal:questions-part", asked.visit.id, following.number)
    waiting = questions.to_answer(parts)
    if not all(each.form.is_done for each in parts if each.has_content) and waiting.problems:
        return redirect(f"{reverse('portal:questions-part', args=[asked.visit.id, waiting.number])}?check=1")
    if asked.visit.is_booked:
        messages.success(request, _("Your answers are saved."))
    return redirect(_next(request, asked))


def _changed(
    request: HttpRequest, asked: Asked, page: Part, posted: Posted, now: datetime, *, add: str = "", remove: str = ""
) -> HttpResponse:
    """The page with one row more, or one less; what is typed elsewhere on it is kept."""
    if remove:
        posted = questions.without(posted, page.items, remove)
    kept = page.of(_keep(request, asked, page, posted, now))
    if add:
        kept = kept.of(questions.with_row(kept.form, add))
    return _show(request, asked, kept, **_focus(kept, add, remove))


def _longer(request: HttpRequest, asked: Asked, page: Part, posted: Posted, now: datetime) -> HttpResponse:
    """The time is held longer, once; back to the same page with what was typed."""
    _keep(request, asked, page, posted, now)
    try:
        booking.extend_hold(asked.visit.id, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    else:
        holds.remember(request.session, _visit(request, asked.visit.id, now))
        messages.success(request, _("We hold the time for you a little longer."))
    return redirect(request.path)


@require_POST
def save(request: HttpRequest, appointment_id: str, number: int) -> JsonResponse:
    """Keep what is being typed, and say which questions it brings up and whether an answer is an alarm."""
    now = timezone.now()
    asked = _asked(request, appointment_id, now)
    page = asked.part(number)
    version = request.POST.get("version", "")
    try:
        form = _keep(
            request, asked, page, questions.read_post(request), now, version=int(version) if version.isdigit() else None
        )
    except RuleBroken as refusal:
        return JsonResponse({"refused": str(refusal)}, status=409)
    zone = asked.visit.zone
    said = _("Saved %(time)s (%(zone)s)") % {"time": words.clock(now.astimezone(zone)), "zone": words.zone_name(zone)}
    return JsonResponse({"saved": said, "version": form.version, **_live(page.of(form))})


@require_GET
def stop(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """What to do now about an answer that is an alarm."""
    asked = _asked(request, appointment_id, timezone.now())
    stopped = [each for each in asked.parts if each.alarms]
    if not stopped:
        return redirect("portal:questions", asked.visit.id)
    what = list(dict.fromkeys(text for each in stopped for text in each.alarms.values()))
    page = stopped[0]
    anchor = next(node.name for node in page.form.sheet.red_flags if node.name in page.alarms)
    context = {"visit": asked.visit, "what": what, "part": page, "anchor": f"{anchor}-field"}
    return render(request, "portal/questions/stop.html", context)


@require_GET
def answers(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """What was answered for a visit, to be read, and changed until it begins."""
    now = timezone.now()
    asked = _asked(request, appointment_id, now)
    changeable = answering.may_answer(asked.appointment, now=now) and not _over(asked)
    forms: dict[int, dict[str, Any]] = {}
    for each in asked.parts:
        forms.setdefault(each.form.questionnaire.pk, {"form": each.form, "part": each})
    context = {"visit": asked.visit, "forms": list(forms.values()), "changeable": changeable}
    return render(request, "portal/questions/answers.html", context)


@require_GET
def file(request: HttpRequest, appointment_id: str, response_id: str, digest: str) -> HttpResponse:
    """A file that was given as an answer, to whoever may see the visit."""
    visit = _visit(request, appointment_id, timezone.now())
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
    media = found.get("contentType", "")
    answer = HttpResponse(
        b64decode(found["data"]),
        content_type=media if media in questionnaires.MEDIA else "application/octet-stream",
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="answer.{_suffix(media)}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@staff_required
@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest, questionnaire_id: str) -> HttpResponse:
    """A questionnaire as patients will see it, all on one page; nothing is kept."""
    rows = access.visible(Questionnaire, caller_of(request)).filter(deleted_at=None)
    questionnaire = get_object_or_404(rows, fhir_id=questionnaire_id)
    form = answering.form(questionnaire, None, questionnaires.UTC, translation.get_language() or "")
    page = Part(1, form, form.items)
    shown: dict[str, Any] = {}
    if request.method == "POST":
        posted = questions.read_post(request)
        add, remove = request.POST.get("add", ""), request.POST.get("remove", "")
        page = _with(page, questions.without(posted, form.items, remove) if remove else posted)
        if request.headers.get("accept") == "application/json":
            return JsonResponse({"saved": "", **_live(page)})
        if add:
            page = page.of(questions.with_row(page.form, add))
        shown = _focus(page, add, remove) if add or remove else {"problems": page.problems_of(posted)}
    page.say_only(shown.get("problems", ()))
    context = {"part": page, **shown}
    return render(request, "portal/questions/preview.html", context, status=422 if shown.get("problems") else 200)


def _asked(request: HttpRequest, appointment_id: str, now: datetime) -> Asked:
    visit = _visit(request, appointment_id, now)
    forms = answering.forms_of(visit.appointment, visit.zone, translation.get_language() or "")
    return Asked(visit, questions.parts_of(forms))


def _visit(request: HttpRequest, appointment_id: str, now: datetime) -> Visit:
    """The visit, for everyone who may see it; for others it does not exist."""
    rows = access.visible(Appointment, caller_of(request)).filter(fhir_id=appointment_id, deleted_at=None)
    visit = visits.by_link(appointment_id, now=now) if rows.exists() else None
    if visit is None:
        raise Http404
    disclosures.opened(caller_of(request), visit.appointment, now=now)
    return visit


def _keep(
    request: HttpRequest,
    asked: Asked,
    page: Part,
    posted: Posted,
    now: datetime,
    *,
    done: bool = False,
    version: int | None = None,
) -> answering.Form:
    return answering.answer(
        asked.appointment,
        page.form,
        posted,
        page.items,
        caller=caller_of(request),
        now=now,
        done=done,
        version=version,
    )


def _with(page: Part, posted: Posted) -> Part:
    """The page as it was sent."""
    return page.of(page.form.with_entries(questionnaires.merge(page.items, page.form.entries, posted)))


def _over(asked: Asked) -> HttpResponse | None:
    """Where the time is no longer held there is nothing to go on with; that page offers others."""
    held = asked.visit.is_held or asked.visit.is_booked
    return None if held else redirect("portal:confirm", asked.visit.id)


def _next(request: HttpRequest, asked: Asked) -> str:
    if asked.visit.is_held:
        return steps.next_page(asked.appointment, caller_of(request), after=steps.QUESTIONS)
    if asked.visit.is_booked:
        return reverse("portal:answers", args=[asked.visit.id])
    return reverse("portal:confirm", args=[asked.visit.id])


def _show(
    request: HttpRequest,
    asked: Asked,
    page: Part,
    *,
    problems: Any = (),
    new: Any = (),
    **focus: str,
) -> HttpResponse:
    parts = [each.of(page.form) if each.form.questionnaire == page.form.questionnaire else each for each in asked.parts]
    shown = [each.number for each in parts if each.has_content or each.number == page.number]
    context = {
        "frame": "portal/booking/step.html" if asked.visit.is_held else "portal/questions/frame.html",
        "visit": asked.visit,
        "asked": asked,
        "part": page,
        "place": shown.index(page.number) + 1,
        "places": len(shown),
        "progress": _progress(request, asked, questions.before(parts, page.number)),
        "problems": problems,
        "new": new,
        "news": ngettext(
            "Because of your answers we ask one more question.",
            "Because of your answers we ask %(count)d more questions.",
            len(new),
        )
        % {"count": len(new)},
        "now": asked.visit.now,
        **focus,
    }
    page.say_only(problems)
    refused = problems and request.method == "POST"
    return render(request, "portal/questions/part.html", context, status=422 if refused else 200)


def _progress(request: HttpRequest, asked: Asked, before: Part | None) -> Progress:
    """How far one has come with the visit; back leads to the part before."""
    if not asked.visit.is_held:
        progress = Progress(1, 1, back=reverse("portal:answers", args=[asked.visit.id]))
    else:
        progress = steps.progress(asked.appointment, caller_of(request), steps.QUESTIONS)
    if before is None:
        return progress
    return replace(progress, back=reverse("portal:questions-part", args=[asked.visit.id, before.number]))


def _focus(page: Part, add: str, remove: str) -> dict[str, str]:
    """Where the reader goes on: in the new row, or where one could be added again."""
    changed = (node for node in questionnaires.every(page.nodes) if (add or remove).rpartition(".")[0] == node.name)
    node = next(changed, None)
    if node is None:
        return {}
    return {"grown": node.rows[-1].name} if add else {"shrunk": node.name}


def _live(page: Part) -> dict[str, Any]:
    return {"hidden": page.hidden, "alarms": page.alarms}


def _suffix(media: str) -> str:
    return {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}.get(media, "bin")
