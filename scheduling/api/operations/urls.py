from django.urls import path, register_converter
from django.urls.converters import StringConverter

from scheduling.api.operations.cancel import Cancel
from scheduling.api.operations.confirm import Confirm
from scheduling.api.operations.find import Find
from scheduling.api.operations.propose import Book, Hold
from scheduling.api.operations.reschedule import Reschedule


class FHIRIdConverter(StringConverter):
    """https://hl7.org/fhir/R4/datatypes.html#id"""

    regex = r"[A-Za-z0-9\-.]{1,64}"


register_converter(FHIRIdConverter, "fhir_id")

operation_urls = [
    path("Appointment/$find", Find.as_view(), name="find"),
    path("Appointment/$hold", Hold.as_view(), name="hold"),
    path("Appointment/$book", Book.as_view(), name="book"),
    path("Appointment/$cancel", Cancel.as_view(), name="cancel-named"),
    path("Appointment/<fhir_id:fhir_id>/$confirm", Confirm.as_view(), name="confirm"),
    path("Appointment/<fhir_id:fhir_id>/$cancel", Cancel.as_view(), name="cancel"),
    path("Appointment/<fhir_id:fhir_id>/$reschedule", Reschedule.as_view(), name="reschedule"),
]
