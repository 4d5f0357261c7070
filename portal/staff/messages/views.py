"""Views by which staff write to the patients of a selection in their own words, preview the recipients, and send it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import placeholders
from clinic.models import Absence, StaffMessage
from portal.appointments.refusals import refusal_text
from portal.common import csv_lists, disclosures, form_drafts
from portal.common.callers import caller_of, staff_required, worker_required
from portal.common.schedules import SCHEDULE
from portal.staff.messages.downloads import LOG, MESSAGES
from portal.staff.messages.forms import StaffMessageForm, initial_of
from portal.staff.messages.message_page import can_be_undone, log_of, preview_of, selection_text
from scheduling import access, staff_messages
from scheduling.access import Caller
from scheduling.errors import SchedulingError, VersionConflict

RELATED = (
    "service",
    "created_by",
    "absence",
    *(f"absence__bookable__{kind}" for kind in ("practitioner", "location", "device")),
)
LISTED = 100


@staff_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the messages that were written, drafts too, the latest first."""
    rows = access.staff_messages(caller_of(request)).select_related(*RELATED)
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, MESSAGES, rows, now=timezone.now())
    written = [(row, selection_text(row)) for row in rows[:LISTED]]
    return render(request, "portal/staff/messages/index.html", {"written": written})


@worker_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def write(request: HttpRequest, message_id: int | None = None) -> HttpResponse:
    """Ask for the selection and the text; then show the recipients."""
    caller, now = caller_of(request), timezone.now()
    draft = StaffMessage() if message_id is None else _visible(request, message_id)
    if draft.sent is not None:
        return redirect("portal:staff-message", draft.pk)
    absence = draft.absence or _absence(request, caller)
    schedules = list(access.calendars(caller).select_related(*SCHEDULE).order_by("site__name", "pk"))
    services = list(access.services_worked_with(caller).filter(has_waitlist=True, active=True).order_by("name"))
    first = request.GET.get("day") or now.date()
    initial = {"first": first} if message_id is None else initial_of(draft, schedules)
    form = form_drafts.form(
        request, StaffMessageForm, schedules=schedules, services=services, absence=absence, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        try:
            saved = staff_messages.save_draft(form.fill(draft), caller=caller, now=now)
        except VersionConflict:
            form_drafts.done(request)
            messages.error(
                request, _("Somebody else has changed this message in the meantime. Look at it, and try again.")
            )
            return redirect("portal:staff-message", draft.pk)
        except SchedulingError as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            form_drafts.done(request)
            return redirect("portal:staff-message", saved.pk)
    context = {"form": form, "draft": draft, "absence": absence, "placeholders": placeholders.OF_NOTES}
    return render(request, "portal/staff/messages/write.html", context)


@staff_required
@require_GET
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """Show a draft with its recipients, or a message that was sent with its log."""
    caller, now = caller_of(request), timezone.now()
    found = _visible(request, message_id)
    context: dict[str, object] = {"written": found, "selection": selection_text(found)}
    if found.sent is None:
        preview = preview_of(found, caller=caller, now=now)
        shown = [each.patient.pk for each in (*preview.reached[:1], *preview.unreachable) if each.patient]
        context["preview"] = preview
    else:
        entries = log_of(found)
        if csv_lists.is_wanted(request):
            return csv_lists.download(request, LOG, entries, now=now)
        shown = [entry.message.patient_id for entry in entries if entry.message.patient_id]
        context |= {"entries": entries, "can_be_undone": can_be_undone(entries)}
    disclosures.listed_patients(caller, shown, "own words", now=now)
    return render(request, "portal/staff/messages/message.html", context)


@staff_required
@require_POST
def step(request: HttpRequest, message_id: int) -> HttpResponse:
    """Send a draft, or take back what was just sent."""
    _visible(request, message_id)
    caller, now, version = caller_of(request), timezone.now(), request.POST.get("version", "")
    try:
        if request.POST.get("step") == "undo":
            staff_messages.undo(message_id, caller=caller, now=now)
            messages.success(request, _("Undone. Nobody was told."))
        elif request.POST.get("step") == "send" and version.isdecimal():
            count = staff_messages.send(message_id, int(version), caller=caller, now=now)
            text = ngettext(
                "The message goes to %(n)s patient in a minute.",
                "The message goes to %(n)s patients in a minute.",
                count,
            )
            messages.success(request, text % {"n": count})
        else:
            raise Http404
    except VersionConflict:
        messages.error(request, _("Somebody else has changed this message in the meantime. Look at it, and try again."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect("portal:staff-message", message_id)


def _visible(request: HttpRequest, message_id: int) -> StaffMessage:
    """Return the message. Raises Http404 if the caller may not see it."""
    found = access.staff_messages(caller_of(request)).select_related(*RELATED).filter(pk=message_id).first()
    if found is None:
        raise Http404
    return found


def _absence(request: HttpRequest, caller: Caller) -> Absence | None:
    """The absence that the address names, if the caller sees it."""
    key = request.GET.get("absence", "")
    return access.absences(caller).filter(pk=int(key)).first() if key.isdecimal() and len(key) < 10 else None
