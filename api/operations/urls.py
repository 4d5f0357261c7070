from django.urls import path, register_converter
from django.urls.converters import StringConverter

from api.operations.argonaut.prefetch import Prefetch, ReadFreeSlot
from api.operations.everything import Everything
from api.operations.explain import Explain
from api.operations.ids import read_free_slot_id
from api.operations.match import Match
from api.operations.medplum.cancel import Cancel
from api.operations.medplum.confirm import Confirm
from api.operations.medplum.reschedule import Reschedule
from api.operations.merge import Merge, Unmerge
from api.operations.subscriptions import Events, Status
from api.operations.tickets import Ticket
from api.operations.views import Book, Find, FindAfterAmpersand, Hold


class FHIRIdConverter(StringConverter):
    """Path converter of ids: https://hl7.org/fhir/R4/datatypes.html#id"""

    regex = r"[A-Za-z0-9\-.]{1,64}"


class FreeSlotIdConverter(FHIRIdConverter):
    """Path converter of the ids of $prefetch only; other ids are of rows."""

    def to_python(self, value: str) -> str:
        if read_free_slot_id(value) is None:
            raise ValueError
        return value


register_converter(FHIRIdConverter, "fhir_id")
register_converter(FreeSlotIdConverter, "free_slot_id")

operation_urls = [
    path("Appointment/$find", Find.as_view(), name="find"),
    path("Appointment/$find&<path:query>", FindAfterAmpersand.as_view(), name="find-after-ampersand"),
    path("Slot/$prefetch", Prefetch.as_view(), name="prefetch"),
    path("Slot/<free_slot_id:fhir_id>", ReadFreeSlot.as_view(), name="free-slot"),
    path("Appointment/$hold", Hold.as_view(), name="hold"),
    path("Appointment/$book", Book.as_view(), name="book"),
    path("Appointment/<fhir_id:fhir_id>/$hold", Hold.as_view(), name="hold-named"),
    path("Appointment/<fhir_id:fhir_id>/$book", Book.as_view(), name="book-named"),
    path("Appointment/$cancel", Cancel.as_view(), name="cancel-named"),
    path("Appointment/<fhir_id:fhir_id>/$confirm", Confirm.as_view(), name="confirm"),
    path("Appointment/<fhir_id:fhir_id>/$cancel", Cancel.as_view(), name="cancel"),
    path("Appointment/<fhir_id:fhir_id>/$reschedule", Reschedule.as_view(), name="reschedule"),
    path("Subscription/$status", Status.as_view(), name="subscriptions-status"),
    path("Subscription/<fhir_id:fhir_id>/$status", Status.as_view(), name="subscription-status"),
    path("Subscription/<fhir_id:fhir_id>/$events", Events.as_view(), name="subscription-events"),
    path("ServiceRequest/<fhir_id:fhir_id>/$ticket", Ticket.as_view(), name="ticket"),
    path("HealthcareService/<fhir_id:fhir_id>/$explain", Explain.as_view(), name="explain"),
    path("Patient/$match", Match.as_view(), name="match"),
    path("Patient/$merge", Merge.as_view(), name="merge"),
    path("Patient/$unmerge", Unmerge.as_view(), name="unmerge"),
    path("Patient/<fhir_id:fhir_id>/$everything", Everything.as_view(), name="everything"),
]
