"""Pages with the form of one row: what was typed survives errors, and nothing that others saved is overwritten."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from clinic.models import Resource
from portal.common import form_drafts
from portal.staff.hours.forms import VersionForm
from portal.staff.setup.forms import RowForm
from scheduling.errors import SchedulingError, VersionConflict

R = TypeVar("R", bound=Resource)


def row_of(kind: type[R], fhir_id: str, **conditions: Any) -> R:
    """Return a row that is not deleted, or raise Http404."""
    return get_object_or_404(kind._default_manager.filter(deleted_at=None, **conditions), fhir_id=fhir_id)


def row_page(
    request: HttpRequest,
    form: RowForm,
    save: Callable[[RowForm], object],
    *,
    template: str,
    back: str,
    back_ids: Sequence[str] = (),
    **context: Any,
) -> HttpResponse:
    """Show the form, or save it and go to the URL name `back`, with these ids in its address.

    If somebody else saved the row meanwhile, nothing is saved: the page shows their values beside the typed ones, and
    the next save is on top of theirs.
    """
    context |= {"form": form, "back": back}
    if request.method != "POST" or not form.is_valid():
        return render(request, template, context)
    try:
        save(form)
    except VersionConflict:
        return render(request, template, {**context, "theirs": take_over(form, form.row.version)}, status=409)
    except SchedulingError as refusal:
        form.add_error(None, str(refusal))
        return render(request, template, context)
    form_drafts.done(request)
    messages.success(request, _("Saved."))
    return redirect(back, *back_ids)


def take_over(form: VersionForm, version: int) -> list[tuple[str, str]]:
    """Set the form's version to the stored one. Returns the labels and stored values of the fields that differ."""
    differing = [(str(form[name].label), _text(form, name)) for name in form.changed_data if name != "version"]
    typed = cast(QueryDict, form.data).copy()
    typed["version"] = str(version)
    form.data = typed
    return differing


def _text(form: VersionForm, name: str) -> str:
    """Return the stored value of a field in words."""
    field = form.fields[name]
    value = field.prepare_value(form[name].initial)
    if isinstance(field, forms.BooleanField):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or _("none")
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
    return _("none") if value in (None, "") else str(value)
