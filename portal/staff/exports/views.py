"""Views of the export of everything as FHIR: have the file made, and download it."""

from datetime import datetime
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import FhirExport
from portal.common.callers import caller_of, exporter_required
from scheduling import exports as export_steps
from scheduling.errors import NotFound, SchedulingError

SECONDS = 3  # until the page is read again while a file is made


@exporter_required
@require_http_methods(["GET", "POST"])
def exports(request: HttpRequest) -> HttpResponse:
    """Show the files of everything, and have one made."""
    caller, now = caller_of(request), timezone.now()
    if request.method == "POST":
        try:
            export_steps.start(caller=caller, now=now)
            messages.success(request, _("The file is being made. You can leave this page: the work goes on."))
        except SchedulingError as refusal:
            messages.info(request, str(refusal))
        return redirect("portal:exports")
    files = list(export_steps.exports_of(caller, now=now))
    making = next((file for file in files if file.status == FhirExport.Status.WAITING), None)
    done, total = export_steps.progress_of(making) if making else (0, 0)
    context = {
        "making": making,
        "done": done,
        "total": total,
        "files": [(file, _local(file.created), _local(file.expires)) for file in files if file != making],
        "seconds": SECONDS,
    }
    return render(request, "portal/staff/exports/index.html", context)


@exporter_required
@require_GET
def export_file(request: HttpRequest, export_id: int) -> HttpResponse:
    """Download a file of everything."""
    now = timezone.now()
    try:
        pieces = export_steps.download(export_id, caller=caller_of(request), now=now)
    except NotFound as missing:
        raise Http404 from missing
    response = StreamingHttpResponse(pieces, content_type="application/fhir+json")
    day = in_zone(now, clinic_zone()).date()
    response["Content-Disposition"] = f'attachment; filename="everything-{day}.json"'
    return cast(HttpResponse, response)  # the pages' decorators name the class beside it


def _local(moment: datetime | None) -> datetime | None:
    """The moment by the clinic's clock."""
    return None if moment is None else in_zone(moment, clinic_zone())
