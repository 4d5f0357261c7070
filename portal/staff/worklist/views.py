"""Views of the worklist: what waits, who deals with it, and until when it is put off."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import WorkItem
from clinic.time_text import long_day
from portal.appointments.refusals import refusal_text
from portal.common import csv_lists, disclosures, form_drafts
from portal.common.callers import any_staff_required, caller_of, staff_required
from portal.staff.back_link import BackLink, named_list
from portal.staff.sites import chosen_site, sites
from portal.staff.worklist.downloads import WORKLIST
from portal.staff.worklist.forms import ArrangeForm
from portal.staff.worklist.worklist import WorkQuery, read_entry, read_worklist
from scheduling import worklist as work
from scheduling.errors import SchedulingError
from scheduling.interactions.details import decide_change
from scheduling.worklist import FILTERS, ItemName, ItemTaken


@staff_required
@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """Show what waits for the desk, by kind: all of it or one kind, by its owner and site."""
    caller, now = caller_of(request), timezone.now()
    places = sites(caller)
    site = chosen_site(places, request.GET["site"]) if request.GET.get("site") else None
    who, kind = request.GET.get("who", ""), request.GET.get("kind", "")
    page = request.GET.get("page", "1")
    query = WorkQuery(
        who=who if who in FILTERS else "",
        site=site,
        kind=_kind(kind) if kind else None,
        page=max(int(page), 1) if page.isdecimal() and len(page) < 5 else 1,
        whole=csv_lists.is_wanted(request),
    )
    found = read_worklist(caller, query, now=now, recorded=request.GET.get("recorded", ""))
    if query.whole:
        entries = (entry for section in found.sections for entry in section.entries)
        return csv_lists.download(request, WORKLIST, entries, now=now)
    disclosures.listed(caller, (visit.appointment for visit in found.visits), "worklist", now=now)
    disclosures.listed_patients(caller, found.patients, "worklist", now=now)
    here = BackLink(request.get_full_path(), "").with_parameters(recorded=None)
    context = {"worklist": found, "sites": places if len(places) > 1 else [], "here": here}
    return render(request, "portal/staff/worklist/worklist.html", context)


@any_staff_required
@require_POST
def own(request: HttpRequest, kind: str, row: int) -> HttpResponse:
    """Take an item, or put it back."""
    version = request.POST.get("version", "")
    name = ItemName(_kind(kind), row, int(version) if version.isdecimal() else 0)
    is_back = "put-back" in request.POST
    use_case = work.put_back if is_back else work.take
    try:
        use_case(name, caller=caller_of(request), now=timezone.now())
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    else:
        messages.success(request, _("Nobody is assigned to it now.") if is_back else _("It is assigned to you now."))
    return redirect(_list_of(request))


@any_staff_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def arrange(request: HttpRequest, kind: str, row: int) -> HttpResponse:
    """Ask who deals with an item and until when it is put off."""
    caller, now, back = caller_of(request), timezone.now(), _list_of(request)
    entry = read_entry(caller, ItemName(_kind(kind), row), now=now)
    if entry is None:
        messages.info(request, _("This is no longer waiting: somebody has dealt with it, or it is over."))
        return redirect(back)
    if entry.visit is not None:
        disclosures.listed(caller, [entry.visit.appointment], "worklist", now=now)
    people = work.colleagues(entry.visit.appointment if entry.visit else None, caller=caller)
    form = form_drafts.form(request, ArrangeForm, entry=entry, colleagues=people)
    if request.method == "POST" and form.is_valid():
        name = ItemName(entry.kind, row, form.cleaned_data["version"] or 0)
        until = form.cleaned_data["until"]
        try:
            work.arrange(name, form.chosen_owner, until, caller=caller, now=now)
        except ItemTaken as refusal:
            form_drafts.done(request)
            messages.error(request, refusal_text(refusal))
            return redirect(back)
        except SchedulingError as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            form_drafts.done(request)
            text = _("Put off until %(day)s.") % {"day": long_day(until)} if until else _("Saved.")
            messages.success(request, text)
            return redirect(back)
    context = {"entry": entry, "form": form, "back": back}
    return render(request, "portal/staff/worklist/item.html", context)


@staff_required
@require_POST
def decide(request: HttpRequest, change_id: int) -> HttpResponse:
    """Accept or decline a patient's change of name or birth date."""
    accept = request.POST.get("answer") == "accepted"
    try:
        decide_change(change_id, accept=accept, caller=caller_of(request), now=timezone.now())
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    else:
        messages.success(request, _("The change is made.") if accept else _("The change is declined."))
    return redirect(_list_of(request))


def _kind(code: str) -> WorkItem.Kind:
    """Return the kind with this code. Raises Http404 if there is none."""
    try:
        return WorkItem.Kind(code)
    except ValueError:
        raise Http404 from None


def _list_of(request: HttpRequest) -> str:
    """Return the address of the list that the request names, with its filters, else of the whole worklist."""
    came_from = named_list(request)
    return came_from.address if came_from else reverse("portal:worklist")
