"""Views that add and remove time that a calendar keeps for a service."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.staff.hours.confirmation import editor_form, is_changing, preview_or_save
from portal.staff.hours.editor import show_editor
from portal.staff.hours.hours_page import HoursPage
from portal.staff.hours.kept_forms import KeptTimeForm, RemoveKeptTimeForm
from portal.staff.hours.kept_times import kept_line


@editor_form
def add_kept(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Keep time for the service on the calendar, after a preview."""
    form = KeptTimeForm(request.POST, terms=hours_page.terms, today=hours_page.today)
    if not form.is_valid() or is_changing(request):
        return show_editor(request, hours_page, kept_form=form)
    line = kept_line(form.entry, hours_page.today)
    return preview_or_save(
        request,
        hours_page,
        form.change(hours_page.kept_entries),
        first=None,
        lines=[(_("Kept for this visit"), line.when), (_("Until"), line.until)],
        heading=_("Kept time"),
    )


@editor_form
def remove_kept(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Open kept time to all services, after a preview."""
    form = RemoveKeptTimeForm(request.POST)
    if not form.is_valid() or is_changing(request):
        return redirect(hours_page.pages["edit"])
    entry = form.cleaned_data["entry"]
    if entry not in hours_page.kept_entries:
        messages.info(request, _("This time has already been opened."))
        return redirect(hours_page.pages["edit"])
    return preview_or_save(
        request,
        hours_page,
        form.change(hours_page.kept_entries),
        first=None,
        lines=[(_("Open to all visits"), kept_line(entry, hours_page.today).when)],
        heading=_("Without this kept time"),
    )
