"""Views of imports: send a file, choose its columns, check it, import it, and undo it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic.models import ImportFile
from portal.common import csv_lists
from portal.common.callers import caller_of, importer_required
from portal.staff.imports.downloads import FILES
from portal.staff.imports.forms import ColumnsForm, SendForm, StartForm
from scheduling import imports
from scheduling.errors import NotFound, SchedulingError, VersionConflict

SHORT = 500  # lines that are done at once, and not by the worker
SHOWN = 50
LISTED = 50
SECONDS = 3  # until a page with a step in work is read again

Status = ImportFile.Status


@importer_required
@require_http_methods(["GET", "POST"])
def imported_files(request: HttpRequest) -> HttpResponse:
    """List the files that were sent, and take one more."""
    form = SendForm(request.POST, request.FILES) if request.method == "POST" else SendForm()
    if form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            file = imports.send(
                upload.read(),
                kind=form.cleaned_data["kind"],
                name=upload.name,
                caller=caller_of(request),
                now=timezone.now(),
            )
            return redirect("portal:import", file.pk)
        except SchedulingError as refusal:
            form.add_error("file", str(refusal))
    files = ImportFile.objects.defer("encrypted").select_related("created_by")
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, FILES, files, now=timezone.now())
    context = {"form": form, "files": files[:LISTED]}
    return render(request, "portal/staff/imports/index.html", context, status=422 if form.errors else 200)


@importer_required
@require_http_methods(["GET", "POST"])
def imported_file(request: HttpRequest, file_id: int) -> HttpResponse:
    """Show a file at its step; on POST do the step that the button names."""
    file = _file_or_404(request, file_id)
    if request.method == "POST":
        return _act(request, file)
    return _show(request, file)


@importer_required
@require_GET
def refused_lines(request: HttpRequest, file_id: int) -> HttpResponse:
    """Download the refused lines as they were sent, each with the reason."""
    file = _file_or_404(request, file_id)
    reasons = dict(file.refused.values_list("line", "reason"))
    rows = (
        [*line, *[""] * (len(file.header) - len(line)), reasons[number]]
        for number, line in enumerate(imports.lines_of(file.text), start=1)
        if number in reasons
    )
    return csv_lists.file_response(f"refused-{file.kind}.csv", [*file.header, _("Reason")], rows)


def _file_or_404(request: HttpRequest, file_id: int) -> ImportFile:
    try:
        return imports.file_of(file_id, caller=caller_of(request))
    except NotFound as missing:
        raise Http404 from missing


def _act(request: HttpRequest, file: ImportFile) -> HttpResponse:
    columns, start = ColumnsForm(request.POST, file=file), StartForm(request.POST, file=file)
    caller, now = caller_of(request), timezone.now()
    version = _version(request)
    acts: dict[str, tuple[Any, Callable[[], object]]] = {
        "check": (columns, lambda: imports.check(file.pk, columns.columns(), version=version, caller=caller)),
        "start": (start, lambda: imports.start(file.pk, only_good=start.only_good, version=version, caller=caller)),
        "undo": (None, lambda: imports.undo(file.pk, version=version, caller=caller, now=now)),
    }
    form, act = acts.get(request.POST.get("step", ""), (None, None))
    if act is None:
        raise Http404
    if form is not None and not form.is_valid():
        return _show(request, file, form=form, status=422)
    try:
        act()
    except VersionConflict:
        messages.error(request, _("Somebody else has changed this import in the meantime. This is how it is now."))
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    else:
        if file.lines <= SHORT:
            while imports.work_on(file.pk, caller=caller, now=now):
                pass
    return redirect("portal:import", file.pk)


def _version(request: HttpRequest) -> int:
    """Return the version of the file that the page has shown; 0, which no file has, for another text."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _show(request: HttpRequest, file: ImportFile, *, form: Any = None, status: int = 200) -> HttpResponse:
    is_chosen = file.status in (Status.SENT, Status.CHECKED, Status.REFUSED)
    refused = file.refused.count()
    context: dict[str, Any] = {
        "file": file,
        "form": form,
        "columns": (form if isinstance(form, ColumnsForm) else ColumnsForm(file=file)) if is_chosen else None,
        "start": (form if isinstance(form, StartForm) else StartForm(file=file))
        if file.status == Status.CHECKED and file.new
        else None,
        "refused": file.refused.all()[:SHOWN],
        "refused_count": refused,
        "done": imports.progress(file),
        "can_be_undone": imports.can_be_undone(file),
        "seconds": SECONDS,
    }
    return render(request, "portal/staff/imports/file.html", context, status=status)
