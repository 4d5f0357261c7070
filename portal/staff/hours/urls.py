"""URL patterns of /staff/hours/, where staff set hours and services."""

from django.urls import path

from portal.staff.hours.views import days, kept, settings, weeks

CALENDAR = "calendars/<str:schedule_id>/<str:service_id>/"
SERVICE = "services/<str:service_id>/"

urlpatterns = [
    path("", weeks.index, name="hours"),
    *(
        path(f"{place}{address}", view, name=name)
        for place in (CALENDAR, SERVICE)
        for address, view, name in (
            ("", weeks.edit, "hours-edit"),
            ("remove/", weeks.remove_version, "hours-remove"),
            ("settings/", settings.settings, "hours-settings"),
            ("closures/", days.add_closure, "hours-closures"),
            ("closures/remove/", days.remove_closure, "hours-closures-remove"),
            ("kept/", kept.add_kept, "hours-kept"),
            ("kept/remove/", kept.remove_kept, "hours-kept-remove"),
            ("undo/", settings.undo, "hours-undo"),
        )
    ),
    path(f"{CALENDAR}extra/", days.add_extra, name="hours-extra"),
    path(f"{CALENDAR}extra/<str:slot_id>/remove/", days.remove_extra, name="hours-extra-remove"),
]
