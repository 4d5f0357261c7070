"""Views that ask a visit's questions page by page and save them while somebody types."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import time_text
from portal.booking import held_pages, held_together, holds, steps
from portal.booking.steps import Progress
from portal.common import form_drafts, languages
from portal.common.callers import caller_of
from portal.questions import parts, posts
from portal.questions.parts import Part
from portal.questions.visit_questions import VisitQuestions, questions_of, redirect_if_lost, visit_of
from scheduling import questionnaire_answers
from scheduling.errors import RuleBroken, SchedulingError
from scheduling.questionnaire_answers import AnswerRequest
from scheduling.questionnaires import PostedForm

NUMBER = re.compile(r"[0-9]{1,9}")
SAID = "questions-said"  # session key: what the page shows after it was posted


@require_GET
def start(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Redirect to the first page that lacks an answer; without questions, to the next step."""
    questions = questions_of(request, appointment_id, timezone.now())
    if not questions.parts:
        return redirect(_next(request, questions))
    if any(part.form.is_stopped for part in questions.parts):
        return redirect("portal:questions-stop", questions.visit.id)
    return redirect("portal:questions-part", questions.visit.id, parts.to_answer(questions.parts).number)


@require_http_methods(["GET", "POST"])
def part(request: HttpRequest, appointment_id: str, number: int) -> HttpResponse:
    """Show one page of questions; on POST save and check it, and go on to the next."""
    now = timezone.now()
    questions = questions_of(request, appointment_id, now)
    page = questions.part(number)
    if not questionnaire_answers.may_answer(questions.appointment, now=now):
        return redirect("portal:answers" if questions.visit.takes_place else "portal:visit", questions.visit.id)
    if request.method == "GET":
        return redirect_if_lost(questions) or _see(request, questions, page)
    posted = posts.read_post(request)
    if differing := _differing(request, page, posted):
        return _again(request, differing=differing)
    if name := request.POST.get("add"):
        _keep(request, questions, page.answers(posted), now)
        return _again(request, add=name)
    if name := request.POST.get("remove"):
        _keep(request, questions, page.answers(posts.without(posted, page.items, name)), now)
        return _again(request, remove=name)
    if form_drafts.LANGUAGE in request.POST:
        _keep(request, questions, page.answers(posted), now)
        return languages.switch(request, request.POST[form_drafts.LANGUAGE], redirect(request.path))
    if held_pages.LET_GO in request.POST and questions.visit.is_held:
        _keep(request, questions, page.answers(posted), now)
        return held_pages.give_back(request, questions.visit, now, leaves=request.POST[held_pages.LET_GO] == "leave")
    if "keep" in request.POST and questions.visit.is_held:
        return _longer(request, questions, page, posted, now)
    return _go_on(request, questions, page, posted, now)


def _go_on(
    request: HttpRequest, questions: VisitQuestions, page: Part, posted: PostedForm, now: datetime
) -> HttpResponse:
    sent = page.sent(posted)
    new, wrong = sent.new_questions(posted), sent.problems_of(posted)
    skips = "skip" in request.POST and questions.is_optional
    done = parts.is_last(sent) and not (new or wrong) and not skips
    kept = page.of(_keep(request, questions, page.answers(posted, done=done), now))
    if kept.form.is_stopped:
        return redirect("portal:questions-stop", questions.visit.id)
    if ended := redirect_if_lost(questions):
        return ended
    if skips:
        return redirect(_next(request, questions))
    if new or wrong:
        problems = {each.anchor: [each.question, each.text] for each in wrong}
        return _again(request, wrong=problems, new=[] if wrong else [node.name for node in new])
    changed = [each.of(kept.form) if each.form is page.form else each for each in questions.parts]
    if following := parts.after(changed, page.number):
        return redirect("portal:questions-part", questions.visit.id, following.number)
    waiting = parts.to_answer(changed)
    if not all(each.form.is_done for each in changed if each.has_content) and waiting.problems:
        return redirect(f"{reverse('portal:questions-part', args=[questions.visit.id, waiting.number])}?check=1")
    if questions.visit.is_booked:
        messages.success(request, _("Your answers are saved."))
    return redirect(_next(request, questions))


def _again(request: HttpRequest, **answer: Any) -> HttpResponse:
    """Redirect to the posted page, which shows the result once."""
    request.session[SAID] = {"page": request.path, **answer}
    return redirect(request.path)


def _see(request: HttpRequest, questions: VisitQuestions, page: Part) -> HttpResponse:
    """Show the saved page; after a POST also problems, new questions, and conflicts with another window."""
    answer: dict[str, Any] = request.session.pop(SAID, {}) if SAID in request.session else {}
    if answer.get("page") != request.path:
        answer = {}
    add, remove = answer.get("add", ""), answer.get("remove", "")
    if add:
        page = page.of(parts.with_row(page.form, add))
    problems = page.problems if "check" in request.GET else page.restore_problems(answer.get("wrong", {}))
    more = {"new": answer.get("new", ()), "differing": answer.get("differing", ())}
    return _show(request, questions, page, problems=problems, **more, **parts.focus(page, add, remove))


def _differing(request: HttpRequest, page: Part, posted: PostedForm) -> list[tuple[str, str]]:
    """Return the questions and typed answers of an outdated page that would overwrite newer saved answers.

    They are not saved then: the reader sees both versions and decides.
    """
    version = _version(request)
    if version is None or version == page.form.version:
        return []
    saved = {node.name: parts.in_words(node, page.form.zone) for node in page.open_questions}
    typed_there = [(node, parts.in_words(node, page.form.zone)) for node in page.sent(posted).open_questions]
    return [
        (node.item.text, words)
        for node, words in typed_there
        if node.name in posted.shown and words != saved.get(node.name)
    ]


def _longer(
    request: HttpRequest, questions: VisitQuestions, page: Part, posted: PostedForm, now: datetime
) -> HttpResponse:
    """Extend the hold, which is allowed once, and go back to the same page with what was typed."""
    _keep(request, questions, page.answers(posted), now)
    try:
        held_together.extend(questions.visit, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    else:
        holds.remember(request.session, visit_of(request, questions.visit.id, now))
        messages.success(request, _("We are holding the time for you a little longer."))
    return redirect(request.path)


@require_POST
def save(request: HttpRequest, appointment_id: str, number: int) -> JsonResponse:
    """Save what is being typed, and return the enabled questions and red flags as JSON."""
    now = timezone.now()
    questions = questions_of(request, appointment_id, now)
    page = questions.part(number)
    try:
        answers = page.answers(posts.read_post(request), version=_version(request))
        form = _keep(request, questions, answers, now)
    except RuleBroken as refusal:
        return JsonResponse({"refused": str(refusal)}, status=409)
    zone = questions.visit.zone
    text = _("Saved %(time)s (%(zone)s)") % {
        "time": time_text.clock(now.astimezone(zone)),
        "zone": time_text.zone_name(zone),
    }
    return JsonResponse({"saved": text, "version": form.version, **page.of(form).live})


@require_GET
def stop(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Show what to do after an answer that is a red flag."""
    questions = questions_of(request, appointment_id, timezone.now())
    stopped = [each for each in questions.parts if each.alarms]
    if not stopped:
        return redirect("portal:questions", questions.visit.id)
    what = list(dict.fromkeys(text for each in stopped for text in each.alarms.values()))
    page = stopped[0]
    anchor = next(node.name for node in page.form.sheet.red_flags if node.name in page.alarms)
    context = {"visit": questions.visit, "what": what, "part": page, "anchor": f"{anchor}-field"}
    return render(request, "portal/questions/stop.html", context)


def _version(request: HttpRequest) -> int | None:
    """Return the version of the answers that the page was made from."""
    version = NUMBER.fullmatch(request.POST.get("version", ""))
    return int(version[0]) if version else None


def _keep(
    request: HttpRequest, questions: VisitQuestions, answers: AnswerRequest, now: datetime
) -> questionnaire_answers.VisitForm:
    return questionnaire_answers.answer(questions.appointment, answers, caller=caller_of(request), now=now)


def _next(request: HttpRequest, questions: VisitQuestions) -> str:
    if questions.visit.is_held:
        return steps.next_page(questions.appointment, caller_of(request), after=steps.QUESTIONS)
    if questions.visit.is_booked:
        return reverse("portal:answers", args=[questions.visit.id])
    return reverse("portal:confirm", args=[questions.visit.id])


def _show(
    request: HttpRequest,
    questions: VisitQuestions,
    page: Part,
    *,
    problems: Any = (),
    new: Any = (),
    differing: Any = (),
    **focus: str,
) -> HttpResponse:
    pages = [
        each.of(page.form) if each.form.questionnaire == page.form.questionnaire else each for each in questions.parts
    ]
    numbers = [each.number for each in pages if each.has_content or each.number == page.number]
    context = {
        "frame": "portal/booking/step.html" if questions.visit.is_held else "portal/questions/frame.html",
        "visit": questions.visit,
        "questions": questions,
        "part": page,
        "place": numbers.index(page.number) + 1,
        "places": len(numbers),
        "progress": _progress(request, questions, parts.before(pages, page.number)),
        "problems": problems,
        "new": new,
        "differing": differing,
        "news": ngettext(
            "Because of your answers we ask one more question.",
            "Because of your answers we ask %(count)d more questions.",
            len(new),
        )
        % {"count": len(new)},
        "now": questions.visit.now,
        **focus,
    }
    page.keep_problems(problems)
    form_drafts.offer_languages(request)
    return render(request, "portal/questions/part.html", context)


def _progress(request: HttpRequest, questions: VisitQuestions, before: Part | None) -> Progress:
    """Return the progress of the booking; its `back` leads to the part before."""
    if not questions.visit.is_held:
        progress = Progress(1, 1, back=reverse("portal:answers", args=[questions.visit.id]))
    else:
        progress = steps.progress(questions.appointment, caller_of(request), steps.QUESTIONS)
    if before is None:
        return progress
    return replace(progress, back=reverse("portal:questions-part", args=[questions.visit.id, before.number]))
