"""Staff set how a service is given, and undo what they have saved."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.common.callers import caller_of
from portal.staff.hours import wording
from portal.staff.hours.place import Place
from portal.staff.hours.settings_forms import CalendarSettingsForm, ParametersForm, ServiceSettingsForm
from portal.staff.hours.views.deciding import UNDO, decide, is_changing, of_place, undo_of
from scheduling import opening
from scheduling.errors import VersionConflict
from scheduling.opening import Change


@require_http_methods(["GET", "POST"])
@of_place
def settings(request: HttpRequest, place: Place) -> HttpResponse:
    """How the service is given: lengths, buffers, notice, what a patient needs."""
    kind: type[ParametersForm] = CalendarSettingsForm if place.terms.schedule else ServiceSettingsForm
    form = kind(request.POST if request.method == "POST" else None, terms=place.terms)
    if not form.is_bound or not form.is_valid() or is_changing(request):
        given = wording.how_given(place.terms.row, place.terms.general)
        context = {"place": place, "form": form, "given": given, "undo": undo_of(request, place)}
        return render(request, "portal/hours/settings.html", context)
    change = form.change()
    return decide(
        request,
        place,
        change,
        first=None,
        page="settings",
        says=wording.changed_settings(form, place.terms, change),
        heading=_("How it is given"),
    )


@require_POST
@of_place
def undo(request: HttpRequest, place: Place) -> HttpResponse:
    """What the last save replaced, once more; not if someone else has saved since."""
    kept = undo_of(request, place)
    if kept is None:
        messages.error(request, _("Someone else has changed this since. Nothing was undone."))
        return redirect(place.pages["edit"])
    change = Change(parameters=kept["parameters"])
    try:
        opening.save(place.terms, change, version=kept["version"], caller=caller_of(request), now=place.now)
    except VersionConflict:
        messages.error(request, _("Someone else has changed this since. Nothing was undone."))
    else:
        messages.success(request, _("Undone. It is as it was before."))
    del request.session[UNDO]
    return redirect(kept["back"])
