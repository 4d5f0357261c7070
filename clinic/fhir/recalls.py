"""Task, that is a recall, which clients can only read: https://hl7.org/fhir/R4/task.html

`basedOn` is the visit after which the patient is to be seen again, `focus` the service, and the start of
`restriction.period` the day from which on. The output of a completed one is the visit that was booked.
"""

from clinic.fhir import codes
from clinic.fhir.datatypes import Json, instant, reference
from clinic.fhir.kinds import ResourceKind, identity_of
from clinic.models import Task

RECALL: Json = {"coding": [{"system": codes.TASK, "code": "recall", "display": "Recall"}], "text": "Recall"}
VISIT: Json = {"text": "Visit"}


def task(row: Task) -> Json:
    """Return the recall as JSON."""
    resource: Json = {
        **row.extra,
        **identity_of(row),
        "basedOn": [reference(row.appointment)],
        "status": row.status,
        "intent": "plan",
        "code": RECALL,
        "focus": reference(row.service),
        "for": reference(row.patient),
        "authoredOn": instant(row.authored),
        "lastModified": instant(row.last_updated),
        "restriction": {"period": {"start": row.due.isoformat()}},
    }
    if row.practitioner is not None:
        resource["owner"] = reference(row.practitioner)
    if row.booked is not None:
        resource["output"] = [{"type": VISIT, "valueReference": reference(row.booked)}]
    return resource


KINDS = {"Task": ResourceKind(Task, task, related=("patient", "service", "practitioner", "appointment", "booked"))}
