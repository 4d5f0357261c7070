"""Referrals of the demo: open, booked, expired, and one that names nobody."""

from base64 import b64encode
from datetime import timedelta

from clinic.models import Appointment, Patient, ServiceRequest
from demo.seed.people import CLIENT_ID, REFERRER
from demo.seed.rows import DemoRows
from scheduling import booking
from scheduling.access import Caller
from scheduling.availability import TimeQuery, arrangements_for, as_datetime, find_times, ways_of

DAY = timedelta(days=1)
# An empty page of PDF.
LETTER = (
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj"
    " 3 0 obj<</Type/Page/MediaBox[0 0 200 200]/Parent 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)
DOCUMENT = {
    "resourceType": "DocumentReference",
    "id": "document-1",
    "status": "current",
    "content": [
        {
            "attachment": {
                "contentType": "application/pdf",
                "title": "Letter.pdf",
                "data": b64encode(LETTER.encode()).decode(),
            }
        }
    ],
}


def make_referrals(rows: DemoRows) -> None:
    """Make the referrals of the demo's referrer, for a service that needs one."""
    ada, bo = (Patient.objects.get(fhir_id=fhir_id) for fhir_id in ("ada", "bo"))
    _book(rows, _new(rows, ada, "Mole on the back, growing", days_ago=20))
    _new(rows, bo, "Cyst on the left shoulder, twice inflamed", days_ago=2)
    _new(rows, None, "Mole that has changed its colour", days_ago=1)
    _new(rows, bo, "Cyst on the left shoulder", days_ago=120, end_told=rows.now)


def _book(rows: DemoRows, referral: ServiceRequest) -> None:
    """Book the first free time from next week on with a referral."""
    service = rows.services["skin-surgery"]
    ways = ways_of(service, arrangements_for(service))
    query = TimeQuery(ways=ways, start=rows.now + 8 * DAY, end=rows.now + 60 * DAY, limit=1)
    for found in find_times(query, now=rows.now):
        request = booking.BookingRequest(
            service=service,
            offerings=found.offerings,
            start=as_datetime(found.start),
            patient=referral.patient,
            extra={booking.BASED_ON: [{"reference": referral.reference}]},
            tell=False,
        )
        software = Caller(client=CLIENT_ID, scopes=("system/*.cruds",))
        booking.create_visit(request, Appointment.Status.BOOKED, caller=software, now=rows.now)


def _new(rows: DemoRows, patient: Patient | None, reason: str, *, days_ago: int, **more: object) -> ServiceRequest:
    email, practice = REFERRER
    referrer = rows.users[email]
    made = rows.now - days_ago * DAY
    return ServiceRequest.objects.create(
        service=rows.services["skin-surgery"],
        patient=patient,
        patient_name=str(patient) if patient else "",
        requester={"display": f"{referrer.get_full_name()}, {practice}"},
        referred_by=referrer,
        reason=reason,
        authored=made,
        valid_until=made + 90 * DAY,
        extra={"contained": [DOCUMENT], "supportingInfo": [{"reference": "#document-1"}]},
        last_updated=rows.now,
        **more,
    )
