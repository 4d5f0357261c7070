"""The deletion of everything about a patient: nothing that names them is left, and what must stay is kept."""

import pytest
from django.utils import timezone

from clinic.models import (
    RESOURCE_MODELS,
    Appointment,
    AuditEvent,
    Communication,
    Erasure,
    FhirExport,
    PastVersion,
    Patient,
    Payment,
    RelatedPerson,
    Slot,
    StaffRole,
    User,
)
from scheduling import personal_data
from scheduling.access import Caller
from scheduling.errors import Forbidden, NotFound, RuleBroken, ScheduleBusy
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    PatientFactory,
    PatientNoteFactory,
    RelatedPersonFactory,
    UserFactory,
)
from tests.payments import pay
from tests.scheduling.personal_data.planted import MARKER, patient_with_everything, tables_with
from tests.scheduling.situations import another_connection, impatient, monday

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def manager(db):
    user = UserFactory()
    StaffRole.objects.create(user=user, role="manager")
    return Caller(user=user)


def erase(patient, caller):
    return personal_data.erase(patient.fhir_id, caller=caller, now=timezone.now())


def test_nothing_in_any_table_names_the_person_afterwards(chen, service, manager):
    ada = patient_with_everything(chen, service)
    assert len(tables_with(MARKER)) > 30, "the rows do name her before"
    erase(ada, manager)
    assert tables_with(MARKER) == []


def test_what_must_stay_is_kept_without_the_person(chen, service, manager):
    ada = patient_with_everything(chen, service)
    visit = Appointment.objects.get(patient=ada, status="fulfilled")
    report = erase(ada, manager)
    ada.refresh_from_db()
    assert (ada.given, ada.family, ada.birth_date, ada.user) == ("", "", None, None)
    assert ada.deleted_at is not None
    kept = Appointment.objects.get(pk=visit.pk)
    assert (kept.start, kept.service, kept.status, kept.patient) == (visit.start, service, "fulfilled", ada)
    assert {"actor": {"reference": ada.reference}, "status": "accepted"} in kept.participant
    assert Slot.objects.filter(appointment=visit, bookable=chen.bookable).exists()
    assert Payment.objects.get(patient=ada).amount == 4000
    sent = Communication.objects.get(patient=ada)
    assert (sent.event, sent.address, sent.body) == ("confirmation", "", "")
    assert report.deleted["records"] == 2, "her record and the one that was merged into it"
    assert report.deleted["forms"] == report.deleted["notes"] == report.kept["payments"] == 1
    assert report.decided_by == manager.user


def test_the_audit_log_says_who_did_what_by_a_pseudonym(ada, manager):
    theirs = AuditEvent.objects.create(
        recorded=timezone.now(), last_updated=timezone.now(), action="C", subtype="book", user=ada.user, patient=ada
    )
    erase(ada, manager)
    theirs.refresh_from_db()
    assert (theirs.user, theirs.client, theirs.patient) == (None, ada.reference, ada)
    last = AuditEvent.objects.order_by("-pk")[0]
    assert (last.subtype, last.user, last.target) == ("erase", manager.user, ada.reference)


def test_lines_of_others_found_by_the_same_search_lose_its_words_too(ada, bo, manager):
    now = timezone.now()
    for patient, query in ((ada, "Patient?family=Quinn"), (bo, "Patient?family=Quinn"), (bo, "Patient?family=Lindt")):
        AuditEvent.objects.create(
            recorded=now, last_updated=now, action="E", subtype="search", patient=patient, query=query
        )
    erase(ada, manager)
    assert set(AuditEvent.objects.filter(patient=bo).values_list("query", flat=True)) == {"", "Patient?family=Lindt"}


@pytest.mark.parametrize("status", ["booked", "pending", "arrived"])
def test_visits_to_come_are_cancelled_first(ada, service, manager, status):
    visit = AppointmentFactory(patient=ada, service=service, start=monday(10), end=monday(11), status=status)
    with pytest.raises(RuleBroken, match="Cancel it first"):
        erase(ada, manager)
    assert Patient.objects.get(pk=ada.pk).given == "Ada"
    Appointment.objects.filter(pk=visit.pk).update(status="cancelled")
    erase(ada, manager)


def test_a_payment_under_way_is_finished_first(ada, service, manager):
    long_ago = {"start": monday(10, days=-90), "end": monday(11, days=-90), "status": "fulfilled"}
    payment = pay(AppointmentFactory(patient=ada, service=service, **long_ago), status="authorised")
    with pytest.raises(RuleBroken, match="not finished"):
        erase(ada, manager)
    Payment.objects.filter(pk=payment.pk).update(status="paid")
    erase(ada, manager)


def test_the_payment_service_forgets_a_card_that_was_kept(ada, service, manager):
    past = AppointmentFactory(
        patient=ada, service=service, start=monday(10, days=-90), end=monday(11, days=-90), status="fulfilled"
    )
    payment = pay(past, status="kept", amount=0, card="pm_1", customer="cus_1")
    erase(ada, manager)
    payment.refresh_from_db()
    assert [each.kind for each in payment.orders.all()] == ["forget"]
    assert (payment.card, payment.customer) == ("pm_1", ""), "the order needs the card"


def test_a_file_of_everything_is_deleted_and_one_that_is_being_made_waited_for(ada, manager):
    export = FhirExport.objects.create(created=timezone.now())
    with pytest.raises(RuleBroken, match="being made"):
        erase(ada, manager)
    FhirExport.objects.filter(pk=export.pk).update(status="done")
    erase(ada, manager)
    assert not FhirExport.objects.exists()


def test_an_entry_of_the_waiting_list_ends(ada, service, manager):
    entry = AppointmentFactory(patient=ada, service=service, start=None, end=None, status="waitlist")
    erase(ada, manager)
    entry.refresh_from_db()
    assert entry.status == "cancelled"


def test_others_who_came_to_the_same_visit_keep_it(ada, bo, service, manager):
    past = {"start": monday(10, days=-90), "end": monday(11, days=-90), "status": "fulfilled"}
    both = [{"actor": {"reference": each.reference, "display": str(each)}, "status": "accepted"} for each in (ada, bo)]
    visit = AppointmentFactory(patient=ada, service=service, participant=both, **past)
    told = CommunicationFactory(appointment=visit, patient=bo, body="See you, Bo", status="completed", sent=past["end"])
    about_bo = PatientNoteFactory(patient=bo, appointment=visit)
    erase(ada, manager)
    visit.refresh_from_db()
    assert [each["actor"].get("display") for each in visit.participant] == [None, str(bo)]
    told.refresh_from_db()
    about_bo.refresh_from_db()
    assert told.body == "See you, Bo"


def test_a_child_keeps_the_record_and_the_other_parent(ada, manager):
    mia = PatientFactory(given="Mia")
    parent = RelatedPersonFactory(patient=mia, user=ada.user, given="Ada")
    other = RelatedPersonFactory(patient=mia, user=UserFactory(), given="Tom")
    assert personal_data.preview(ada, now=timezone.now()).alone == []
    erase(ada, manager)
    parent.refresh_from_db()
    assert (parent.given, parent.user) == ("", None)
    assert RelatedPerson.objects.get(pk=other.pk).given == "Tom"
    assert Patient.objects.get(pk=mia.pk).given == "Mia"


def test_what_names_nobody_at_a_childs_visit_stays_as_it_is(ada, service, manager):
    mia = PatientFactory(given="Mia")
    parent = RelatedPersonFactory(patient=mia, user=ada.user)
    others = [
        {"actor": {"reference": mia.reference, "display": "Mia"}, "status": "accepted"},
        {"type": [{"text": "A nurse"}], "status": "needs-action"},
    ]
    named = {"actor": {"reference": parent.reference, "display": "Ada"}, "status": "accepted"}
    visit = AppointmentFactory(patient=mia, service=service, participant=[*others, named])
    Appointment.objects.filter(pk=visit.pk).update(participant=others[1:], version=2)
    Appointment.objects.filter(pk=visit.pk).update(participant=[*others, named], version=3)
    erase(ada, manager)
    visit.refresh_from_db()
    assert visit.participant == [*others, {**named, "actor": {"reference": parent.reference}}]
    earlier = PastVersion.objects.filter(resource_type="Appointment", row_id=visit.pk).order_by("version")
    assert earlier[1].row["participant"] == others[1:]


def test_the_preview_names_those_for_whom_nobody_else_would_act(ada):
    mia = PatientFactory(given="Mia")
    RelatedPersonFactory(patient=mia, user=ada.user)
    assert personal_data.preview(ada, now=timezone.now()).alone == [mia]


def test_a_carer_of_the_person_keeps_their_own_account_and_record(ada, bo, manager):
    carer = RelatedPersonFactory(patient=ada, user=bo.user)
    erase(ada, manager)
    carer.refresh_from_db()
    assert (carer.family, carer.user) == ("", None)
    assert Patient.objects.get(pk=bo.pk).user == bo.user


def test_an_account_of_staff_stays_without_the_record(ada, manager):
    StaffRole.objects.create(user=ada.user, role="reader")
    report = erase(ada, manager)
    assert User.objects.filter(pk=ada.user.pk).exists()
    assert "staff-account" in report.kept
    assert "account" not in report.deleted


def test_the_account_goes_with_the_record(ada, manager):
    erase(ada, manager)
    assert not User.objects.filter(pk=ada.user_id).exists()


def test_the_preview_is_what_the_report_says(chen, service, manager):
    ada = patient_with_everything(chen, service)
    before = personal_data.preview(ada, now=timezone.now())
    report = erase(ada, manager)
    assert {table.name: count for table, count in before.deleted} == report.deleted
    assert {table.name: count for table, count in before.kept} == report.kept


def test_versions_of_a_visit_that_became_anothers_are_forgotten(ada, bo, service, manager):
    past = {"start": monday(10, days=-90), "end": monday(11, days=-90), "status": "fulfilled"}
    visit = AppointmentFactory(patient=ada, service=service, comment="of Ada", **past)
    Appointment.objects.filter(pk=visit.pk).update(patient=bo, participant=[], version=2)
    assert PastVersion.objects.filter(patient_id=ada.pk).exists()
    erase(ada, manager)
    assert not PastVersion.objects.filter(patient_id=ada.pk).exists()


def test_a_merged_record_is_deleted_with_the_one_that_replaced_it(ada, manager):
    ada.extra = {"link": [{"other": {"reference": "Patient/other"}, "type": "replaced-by"}]}
    ada.save()
    with pytest.raises(RuleBroken, match="merged into another"):
        erase(ada, manager)


def test_only_those_who_run_the_whole_clinic_delete(ada, bo, site):
    desk = Caller(user=UserFactory(desk_locations=[site]))
    narrow = Caller(client="app", scopes=("system/Patient.cruds",))
    for caller in (Caller(), Caller(user=ada.user), Caller(user=bo.user), desk, narrow):
        with pytest.raises(Forbidden):
            erase(ada, caller)
    erase(ada, Caller(client="erase_person", scopes=("system/*.cruds",)))


def test_a_deleted_person_is_not_found_again(ada, manager):
    erase(ada, manager)
    with pytest.raises(NotFound):
        erase(ada, manager)
    assert Erasure.objects.count() == 1


def test_the_request_that_waits_becomes_the_report(ada, manager):
    asked = personal_data.ask_erasure(ada.fhir_id, caller=Caller(user=ada.user), now=timezone.now())
    assert erase(ada, manager).pk == asked.pk
    assert Erasure.objects.get().requested_by is None


def test_somebody_who_writes_about_the_person_at_this_moment_is_waited_for(ada, manager):
    """Rows that refer to the record before the deletion has locked it are deleted with it."""
    with another_connection() as execute:
        execute("BEGIN")
        execute(
            f"SELECT 1 FROM clinic_patient WHERE id = {ada.pk} FOR KEY SHARE"
        )  # as an insert that refers to it does
        with impatient(), pytest.raises(ScheduleBusy):
            erase(ada, manager)
        execute("ROLLBACK")
    erase(ada, manager)


# Tables that refer to patients and keep the reference to the empty record, or are emptied with another table's rows.
WITHOUT_DATA = {"AppointmentPatient", "Bookable", "Erasure"}


def test_every_table_that_refers_to_patients_has_its_place():
    tables = {table.model.__name__ for table in (*personal_data.DELETED, *personal_data.KEPT)}
    referring = {relation.related_model.__name__ for relation in Patient._meta.related_objects}
    assert referring - tables == WITHOUT_DATA


def test_every_resource_about_a_patient_has_its_place():
    tables = {table.model for table in (*personal_data.DELETED, *personal_data.KEPT)}
    about_patients = {model for model in RESOURCE_MODELS if model.PATIENT is not None}
    assert about_patients <= tables
