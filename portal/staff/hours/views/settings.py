"""Views of the settings of a service, and of undoing the last save."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.common.callers import caller_of
from portal.staff.hours import descriptions
from portal.staff.hours.confirmation import UNDO, hours_page_required, is_changing, preview_or_save, undo_of
from portal.staff.hours.hours_page import HoursPage
from portal.staff.hours.settings_forms import CalendarSettingsForm, ParametersForm, ServiceSettingsForm
from scheduling import opening
from scheduling.errors import VersionConflict
from scheduling.opening import Change


@require_http_methods(["GET", "POST"])
@hours_page_required
def settings(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Show and save the settings: lengths, buffers, notice, and requirements."""
    kind: type[ParametersForm] = CalendarSettingsForm if hours_page.terms.schedule else ServiceSettingsForm
    form = kind(request.POST if request.method == "POST" else None, terms=hours_page.terms)
    if not form.is_bound or not form.is_valid() or is_changing(request):
        summary = descriptions.settings_in_words(hours_page.terms.row, hours_page.terms.general)
        context = {"hours_page": hours_page, "form": form, "summary": summary, "undo": undo_of(request, hours_page)}
        return render(request, "portal/staff/hours/settings.html", context)
    change = form.change()
    return preview_or_save(
        request,
        hours_page,
        change,
        first=None,
        page="settings",
        lines=descriptions.changed_settings(form, hours_page.terms, change),
        heading=_("How it is given"),
    )


@require_POST
@hours_page_required
def undo(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Restore what the last save replaced, unless someone else has saved since."""
    kept = undo_of(request, hours_page)
    if kept is None:
        messages.error(request, _("Someone else has changed this since. Nothing was undone."))
        return redirect(hours_page.pages["edit"])
    change = Change(parameters=kept["parameters"])
    try:
        opening.save(hours_page.terms, change, version=kept["version"], caller=caller_of(request), now=hours_page.now)
    except VersionConflict:
        messages.error(request, _("Someone else has changed this since. Nothing was undone."))
    else:
        messages.success(request, _("Undone. Everything is as it was before."))
    del request.session[UNDO]
    return redirect(kept["back"])
