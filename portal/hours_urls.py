"""Below /staff/hours/: what staff set of hours and services."""

from django.urls import path

from portal.views import hours

CALENDAR = "calendars/<str:schedule_id>/<str:service_id>/"
SERVICE = "services/<str:service_id>/"

urlpatterns = [
    path("", hours.index, name="hours"),
    *(
        path(f"{place}{address}", view, name=name)
        for place in (CALENDAR, SERVICE)
        for address, view, name in (
            ("", hours.edit, "hours-edit"),
            ("remove/", hours.remove_version, "hours-remove"),
            ("settings/", hours.settings, "hours-settings"),
            ("closures/", hours.add_closure, "hours-closures"),
            ("closures/remove/", hours.remove_closure, "hours-closures-remove"),
            ("undo/", hours.undo, "hours-undo"),
        )
    ),
    path(f"{CALENDAR}extra/", hours.add_extra, name="hours-extra"),
    path(f"{CALENDAR}extra/<str:slot_id>/remove/", hours.remove_extra, name="hours-extra-remove"),
]
