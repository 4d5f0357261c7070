"""A visit's questions, asked page by page and kept while one types."""

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
from portal.booking import holds, steps
from portal.booking.steps import Progress
from portal.booking.views import holding
from portal.common import languages, typed
from portal.common.callers import caller_of
from portal.questions import parts, posts
from portal.questions.parts import Part
from portal.questions.views.asked import Asked, asked_of, over, visit_of
from scheduling import booking, questionnaire_answers
from scheduling.errors import RuleBroken, SchedulingError
from scheduling.questionnaires import Posted

NUMBER = re.compile(r"[0-9]{1,9}")
SAID = "questions-said"  # in the session: what the page that was sent says next


@require_GET
def start(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """To the first page that lacks an answer; where nothing is asked, to what comes next."""
    asked = asked_of(request, appointment_id, timezone.now())
    if not asked.parts:
        return redirect(_next(request, asked))
    if any(part.form.is_stopped for part in asked.parts):
        return redirect("portal:questions-stop", asked.visit.id)
    return redirect("portal:questions-part", asked.visit.id, parts.to_answer(asked.parts).number)


@require_http_methods(["GET", "POST"])
def part(request: HttpRequest, appointment_id: str, number: int) -> HttpResponse:
    """One page of questions: shown, kept, judged, and on to the next."""
    now = timezone.now()
    asked = asked_of(request, appointment_id, now)
    page = asked.part(number)
    if not questionnaire_answers.may_answer(asked.appointment, now=now):
        return redirect("portal:answers" if asked.visit.takes_place else "portal:visit", asked.visit.id)
    if request.method == "GET":
        return over(asked) or _see(request, asked, page)
    posted = posts.read_post(request)
    if differing := _differing(request, page, posted):
        return _again(request, differing=differing)
    if name := request.POST.get("add"):
        return _changed(request, asked, page, posted, now, add=name)
    if name := request.POST.get("remove"):
        return _changed(request, asked, page, posted, now, remove=name)
    if typed.LANGUAGE in request.POST:
        _keep(request, asked, page, posted, now)
        return languages.switch(request, request.POST[typed.LANGUAGE], redirect(request.path))
    if holding.LET_GO in request.POST and asked.visit.is_held:
        _keep(request, asked, page, posted, now)
        return holding.give_back(request, asked.visit, now, leaves=request.POST[holding.LET_GO] == "leave")
    if "keep" in request.POST and asked.visit.is_held:
        return _longer(request, asked, page, posted, now)
    return _go_on(request, asked, page, posted, now)


def _go_on(request: HttpRequest, asked: Asked, page: Part, posted: Posted, now: datetime) -> HttpResponse:
    sent = page.sent(posted)
    new, wrong = sent.newly_asked(posted), sent.problems_of(posted)
    skips = "skip" in request.POST and asked.is_optional
    done = parts.is_last(sent) and not (new or wrong) and not skips
    kept = page.of(_keep(request, asked, page, posted, now, done=done))
    if kept.form.is_stopped:
        return redirect("portal:questions-stop", asked.visit.id)
    if ended := over(asked):
        return ended
    if skips:
        return redirect(_next(request, asked))
    if new or wrong:
        told = {each.anchor: [each.question, each.text] for each in wrong}
        return _again(request, wrong=told, new=[] if wrong else [node.name for node in new])
    changed = [each.of(kept.form) if each.form is page.form else each for each in asked.parts]
    if following := parts.after(changed, page.number):
        return redirect("portal:questions-part", asked.visit.id, following.number)
    waiting = parts.to_answer(changed)
    if not all(each.form.is_done for each in changed if each.has_content) and waiting.problems:
        return redirect(f"{reverse('portal:questions-part', args=[asked.visit.id, waiting.number])}?check=1")
    if asked.visit.is_booked:
        messages.success(request, _("Your answers are saved."))
    return redirect(_next(request, asked))


def _changed(
    request: HttpRequest, asked: Asked, page: Part, posted: Posted, now: datetime, *, add: str = "", remove: str = ""
) -> HttpResponse:
    """The page with one row more, or one less; what is typed elsewhere on it is kept."""
    if remove:
        posted = posts.without(posted, page.items, remove)
    _keep(request, asked, page, posted, now)
    return _again(request, add=add, remove=remove)


def _again(request: HttpRequest, **said: Any) -> HttpResponse:
    """To the page that was sent, which says once what became of it."""
    request.session[SAID] = {"page": request.path, **said}
    return redirect(request.path)


def _see(request: HttpRequest, asked: Asked, page: Part) -> HttpResponse:
    """The page as it is kept; after it was sent, with what is wrong, has come up or was typed elsewhere meanwhile."""
    said: dict[str, Any] = request.session.pop(SAID, {}) if SAID in request.session else {}
    if said.get("page") != request.path:
        said = {}
    add, remove = said.get("add", ""), said.get("remove", "")
    if add:
        page = page.of(parts.with_row(page.form, add))
    problems = page.problems if "check" in request.GET else page.told_again(said.get("wrong", {}))
    more = {"new": said.get("new", ()), "differing": said.get("differing", ())}
    return _show(request, asked, page, problems=problems, **more, **parts.focus(page, add, remove))


def _differing(request: HttpRequest, page: Part, posted: Posted) -> list[tuple[str, str]]:
    """The questions, and what was typed, where an older page would undo what has been saved since; none if it does not.

    What it sent is not kept then: the reader sees both, and decides.
    """
    version = _version(request)
    if version is None or version == page.form.version:
        return []
    saved = {node.name: parts.in_words(node, page.form.zone) for node in page.asked}
    typed_there = [(node, parts.in_words(node, page.form.zone)) for node in page.sent(posted).asked]
    return [
        (node.item.text, words)
        for node, words in typed_there
        if node.name in posted.shown and words != saved.get(node.name)
    ]


def _longer(request: HttpRequest, asked: Asked, page: Part, posted: Posted, now: datetime) -> HttpResponse:
    """The time is held longer, once; back to the same page with what was typed."""
    _keep(request, asked, page, posted, now)
    try:
        booking.extend_hold(asked.visit.id, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    else:
        holds.remember(request.session, visit_of(request, asked.visit.id, now))
        messages.success(request, _("We are holding the time for you a little longer."))
    return redirect(request.path)


@require_POST
def save(request: HttpRequest, appointment_id: str, number: int) -> JsonResponse:
    """Keep what is being typed, and say which questions it brings up and whether an answer is an alarm."""
    now = timezone.now()
    asked = asked_of(request, appointment_id, now)
    page = asked.part(number)
    try:
        form = _keep(request, asked, page, posts.read_post(request), now, version=_version(request))
    except RuleBroken as refusal:
        return JsonResponse({"refused": str(refusal)}, status=409)
    zone = asked.visit.zone
    said = _("Saved %(time)s (%(zone)s)") % {
        "time": time_text.clock(now.astimezone(zone)),
        "zone": time_text.zone_name(zone),
    }
    return JsonResponse({"saved": said, "version": form.version, **page.of(form).live})


@require_GET
def stop(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """What to do now about an answer that is an alarm."""
    asked = asked_of(request, appointment_id, timezone.now())
    stopped = [each for each in asked.parts if each.alarms]
    if not stopped:
        return redirect("portal:questions", asked.visit.id)
    what = list(dict.fromkeys(text for each in stopped for text in each.alarms.values()))
    page = stopped[0]
    anchor = next(node.name for node in page.form.sheet.red_flags if node.name in page.alarms)
    context = {"visit": asked.visit, "what": what, "part": page, "anchor": f"{anchor}-field"}
    return render(request, "portal/questions/stop.html", context)


def _version(request: HttpRequest) -> int | None:
    """The version of the answers that the page showed."""
    version = NUMBER.fullmatch(request.POST.get("version", ""))
    return int(version[0]) if version else None


def _keep(
    request: HttpRequest,
    asked: Asked,
    page: Part,
    posted: Posted,
    now: datetime,
    *,
    done: bool = False,
    version: int | None = None,
) -> questionnaire_answers.VisitForm:
    return questionnaire_answers.answer(
        asked.appointment,
        page.form,
        posted,
        page.items,
        caller=caller_of(request),
        now=now,
        done=done,
        version=version,
    )


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
    differing: Any = (),
    **focus: str,
) -> HttpResponse:
    pages = [each.of(page.form) if each.form.questionnaire == page.form.questionnaire else each for each in asked.parts]
    shown = [each.number for each in pages if each.has_content or each.number == page.number]
    context = {
        "frame": "portal/booking/step.html" if asked.visit.is_held else "portal/questions/frame.html",
        "visit": asked.visit,
        "asked": asked,
        "part": page,
        "place": shown.index(page.number) + 1,
        "places": len(shown),
        "progress": _progress(request, asked, parts.before(pages, page.number)),
        "problems": problems,
        "new": new,
        "differing": differing,
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
    typed.offer_languages(request)
    return render(request, "portal/questions/part.html", context)


def _progress(request: HttpRequest, asked: Asked, before: Part | None) -> Progress:
    """How far one has come with the visit; back leads to the part before."""
    if not asked.visit.is_held:
        progress = Progress(1, 1, back=reverse("portal:answers", args=[asked.visit.id]))
    else:
        progress = steps.progress(asked.appointment, caller_of(request), steps.QUESTIONS)
    if before is None:
        return progress
    return replace(progress, back=reverse("portal:questions-part", args=[asked.visit.id, before.number]))
