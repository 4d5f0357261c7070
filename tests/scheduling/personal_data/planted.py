"""A patient with a row in every table, and a marker in every text of these rows."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, models
from django.utils import timezone

from clinic.models import (
    CardPhoto,
    DeskPayment,
    DetailsChange,
    Erasure,
    EventDelivery,
    EventReceiver,
    IdempotencyKey,
    ImportedRow,
    ImportKind,
    ParkedRow,
    Patient,
    PatientMerge,
    PaymentOrder,
    RefusedLine,
    VisitEvent,
    WaitlistCall,
)
from scheduling.personal_data import DELETED, KEPT
from scheduling.personal_data.person import Person
from tests.factories import (
    AppointmentFactory,
    AppointmentResponseFactory,
    AuditEventFactory,
    CalendarFeedFactory,
    CareTeamFactory,
    CommunicationFactory,
    CoverageFactory,
    DuplicatePairFactory,
    EncounterFactory,
    ImportFileFactory,
    LaunchFactory,
    MessagePreferencesFactory,
    PatientFactory,
    PatientNoteFactory,
    QuestionnaireResponseFactory,
    RecallFactory,
    ReferralFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    SlotFactory,
    SubscriptionFactory,
    UserFactory,
)
from tests.payments import pay

MARKER = "Zyxwvut"
# Columns that say nothing of a person: what happened, what the clinic itself has written, and digests.
OTHERS = {
    "fhir_id", "subtype", "target", "occasion", "intent", "currency", "terms", "meeting_url", "criteria", "scopes",
    "password", "encounter_class", "client", "message_id", "header", "endpoint", "service_type", "specialty", "type",
    "participant_type", "moved", "accounts", "secret_digest", "code_digest", "held_by_guest", "refers_for", "query",
    "receipt",
}  # fmt: skip
# Columns of a form of their own, which the rows are made with.
MADE = {"participant", "payor", "requester", "actor", "email", "phone", "address", "stopped_numbers"}
TEXTS = (models.CharField, models.TextField, models.JSONField, ArrayField)


def patient_with_everything(schedule, service) -> Patient:
    """Make a patient with an account, a carer, a child, a past visit, and a row in every table of personal data."""
    now = timezone.now()
    ago = now - timedelta(days=40)
    account = UserFactory(email=f"{MARKER.lower()}@example.com", first_name=MARKER)
    ada = PatientFactory(user=account, phone=f"+1 212 {MARKER}")
    visit = AppointmentFactory(
        patient=ada, service=service, start=ago, end=ago + timedelta(minutes=30), status="fulfilled",
        schedules=[schedule],
    )  # fmt: skip
    carer = RelatedPersonFactory(patient=ada)
    child = PatientFactory(given="Mia")
    as_parent = RelatedPersonFactory(patient=child, user=account)
    named = [{"actor": {"reference": row.reference, "display": MARKER}, "status": "accepted"} for row in (ada, carer)]
    AppointmentFactory(patient=child, service=service, participant=[
        *AppointmentFactory(patient=child, service=service).participant,
        {"actor": {"reference": as_parent.reference, "display": MARKER}, "status": "accepted"},
    ])  # fmt: skip
    type(visit).objects.filter(pk=visit.pk).update(participant=[*visit.participant[1:], *named])
    CoverageFactory(beneficiary=child, extra={"subscriber": {"reference": as_parent.reference, "display": MARKER}})
    coverage = CoverageFactory(beneficiary=ada)
    CardPhoto.objects.create(coverage=coverage, side="front", image=b"photo", taken=now)
    CommunicationFactory(appointment=visit, patient=ada, status="completed", sent=ago, address=f"{MARKER}@a.example")
    CommunicationFactory(appointment=visit, patient=ada, event="reminder")
    CommunicationFactory(patient=None, event="reply", medium="sms", address=ada.phone)
    QuestionnaireResponseFactory(appointment=visit, patient=ada)
    PatientNoteFactory(patient=ada, appointment=visit)
    CareTeamFactory(patient=ada)
    RecallFactory(patient=ada, appointment=visit)
    AppointmentResponseFactory(appointment=visit)
    referral = ReferralFactory(patient=ada, service=service)
    type(visit).objects.filter(pk=visit.pk).update(referral=referral)
    entry = AppointmentFactory(patient=ada, service=service, status="waitlist", start=None, end=None)
    WaitlistCall.objects.create(entry=entry, outcome="no-answer", note="x", called=now)
    DetailsChange.objects.create(patient=ada, changes={"given": "x"}, created=now)
    MessagePreferencesFactory(patient=ada)
    CalendarFeedFactory(patient=ada)
    LaunchFactory(user=account, patient=ada)
    SubscriptionFactory(user=account)
    DuplicatePairFactory(first=ada, second=PatientFactory(given="Somebody", family="Else"))
    former = PatientFactory(active=False)
    PatientMerge.objects.create(
        source=former, target=ada, merged_at=ago, moved={}, accounts={},
        source_before=1, source_after=1, target_before=1, target_after=1,
    )  # fmt: skip
    event = VisitEvent.objects.create(kind="booked", appointment=visit, version=1, occurred=ago, number=1)
    receiver = EventReceiver.objects.create(name="Billing", url="https://billing.example", kinds=[], secret="s")
    EventDelivery.objects.create(receiver=receiver, event=event, content="x", created=now, due=now)
    EncounterFactory(appointment=visit, patient=ada)
    PaymentOrder.objects.create(payment=pay(visit), kind="refund", status="done", created=ago, due=ago)
    taken = {"appointment": visit, "patient": ada, "method": "cash", "currency": "USD", "taken": ago}
    entry = DeskPayment.objects.create(**taken, amount=4000, key=uuid4())
    DeskPayment.objects.create(**taken, amount=-4000, corrects=entry, reason=MARKER, key=uuid4())
    SlotFactory(schedule=ScheduleFactory(actor=ada, services=[service]), appointment=visit)
    AuditEventFactory(patient=ada, appointment=visit, query=f"Patient?name={MARKER}")
    Erasure.objects.create(patient=ada, status="declined", created=ago, reason=MARKER)
    _mark(ada)
    _leave_copies(ada, account, visit)
    return ada


def _mark(ada: Patient) -> None:
    """Write the marker into every text of the rows of the tables, and then another version of them."""
    for table in (*DELETED, *KEPT):
        if table.name == "staff-account":
            continue
        rows = table.rows(Person(Patient.objects.get(pk=ada.pk)))
        assert rows.exists(), table.name
        marked = table.model._default_manager.filter(pk__in=list(rows.values_list("pk", flat=True)))
        marked.update(**{field.name: _marked(field) for field in table.model._meta.concrete_fields if _is_text(field)})
        if hasattr(table.model, "version"):
            marked.update(version=models.F("version") + 1, last_updated=timezone.now())


def _is_text(field: Any) -> bool:
    return isinstance(field, TEXTS) and not field.choices and field.name not in OTHERS | MADE | {"needs"}


def _marked(field: Any) -> Any:
    if isinstance(field, ArrayField):
        return [MARKER]
    if not isinstance(field, models.JSONField):
        return MARKER[: field.max_length]
    is_list = field.get_default() == []
    return [{"text": MARKER, "value": MARKER}] if is_list else {"text": MARKER, "note": [{"text": MARKER}]}


def _leave_copies(ada: Patient, account: Any, visit: Any) -> None:
    """Leave the marker where other tables repeat the data: stored answers, logs, failures, lists and sessions."""
    now = timezone.now()
    answer = {"resourceType": "Appointment", "id": visit.fhir_id, "text": MARKER}
    IdempotencyKey.objects.create(owner="client:x", key="1", fingerprint="f", answer={"answer": answer | {
        "reference": visit.reference}}, created=now)  # fmt: skip
    IdempotencyKey.objects.create(owner=f"user:{account.pk}", key="2", fingerprint="f", answer=MARKER, created=now)
    kind = ContentType.objects.get_for_model(Patient)
    LogEntry.objects.create(
        user=UserFactory(), content_type=kind, object_id=str(ada.pk), object_repr=MARKER, action_flag=CHANGE
    )
    ParkedRow.objects.create(
        task="x", kind="Patient", key=str(ada.pk), error=MARKER, attempts=1, since=now, tried=now, again=now
    )
    file = ImportFileFactory(name=MARKER, status="done")
    RefusedLine.objects.create(file=file, line=1, reason=MARKER)
    ImportedRow.objects.create(kind=ImportKind.PATIENTS, number=MARKER, fhir_id=ada.fhir_id, is_new=True, file=file)
    EmailAddress.objects.create(user=account, email=f"{MARKER}@other.example", verified=True)
    session = SessionStore()
    session["typed"] = MARKER
    session.create()
    UserSession.objects.create(
        user=account, session_key=session.session_key, ip="192.0.2.1", user_agent=MARKER, data={}
    )


def tables_with(text: str) -> list[str]:
    """The tables of the database that have the text in any column of any row, whatever the column's type."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        names = [name for (name,) in cursor.fetchall()]
        found = []
        for name in names:
            cursor.execute(f'SELECT count(*) FROM "{name}" AS it WHERE it::text ILIKE %s', [f"%{text}%"])
            if cursor.fetchone()[0]:
                found.append(name)
    return sorted(found)
