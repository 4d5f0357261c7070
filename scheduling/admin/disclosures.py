"""Audit of the patients shown in the admin: https://hl7.org/fhir/R4/auditevent.html"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from clinic.admin_site import AutocompleteView, rows_shown
from clinic.models import AuditEvent, CalendarFeed, EventDelivery, MessagePreferences, Patient, Resource, Slot, User
from scheduling import access
from scheduling.admin.base import caller_of

ONCE_IN = timedelta(hours=1)  # for a list that is fetched again with every letter typed


@receiver(rows_shown)
def write_down(sender: type, request: HttpRequest, rows: Sequence[Any], is_list: bool, **_: Any) -> None:
    """Record the disclosure of a page's rows with one INSERT, before the page is sent; none without patients."""
    typed = sender is AutocompleteView
    address = request.path if typed else request.get_full_path()
    access.record_disclosure(
        _resources(rows),
        "search" if is_list else "read",
        caller=caller_of(request),
        now=timezone.now(),
        query=address if is_list else "",
        once_in=ONCE_IN if typed else None,
    )


def _resources(rows: Sequence[Any]) -> Iterator[Resource]:
    """The resources in the rows that are about a patient."""
    for row in rows:
        if isinstance(row, AuditEvent | CalendarFeed | MessagePreferences) and row.patient:
            yield row.patient
        elif isinstance(row, Slot) and row.appointment:
            yield row.appointment
        elif isinstance(row, EventDelivery) and row.event:
            yield row.event.appointment
        elif isinstance(row, Resource):
            yield row
    accounts = [
        row.pk if isinstance(row, User) else row.user_id for row in rows if isinstance(row, User | EmailAddress)
    ]
    if accounts:
        yield from Patient.objects.filter(user__in=accounts)
