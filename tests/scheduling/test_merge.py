"""Merges of patients' records, and how they are undone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.fhir.codes import MERGED_PATIENT
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import (
    Appointment,
    AppointmentPatient,
    AuditEvent,
    Bookable,
    CalendarFeed,
    Launch,
    MessagePreferences,
    Patient,
    PatientMerge,
    RelatedPerson,
)
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import Forbidden, Invalid, NotFound, RuleBroken, ScheduleBusy
from scheduling.interactions import merging
from scheduling.interactions.merging import MergeRequest, RecordName
from scheduling.interactions.moved_rows import FEEDS_AND_APPS, MOVED, ONE_EACH
from tests.factories import (
    AppointmentFactory,
    AppointmentResponseFactory,
    CalendarFeedFactory,
    CareTeamFactory,
    CommunicationFactory,
    CoverageFactory,
    EncounterFactory,
    LaunchFactory,
    LocationFactory,
    MessagePreferencesFactory,
    PatientFactory,
    PatientNoteFactory,
    QuestionnaireResponseFactory,
    ReferralFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    UserFactory,
)
from tests.row_digests import stored
from tests.scheduling.situations import SOFTWARE, another_connection, book, impatient, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = {"system": "https://riverside.example/records", "value": "R-17"}


def named(patient):
    return RecordName(fhir_id=patient.fhir_id)


def merge(source, target, caller=SOFTWARE, **more):
    request = MergeRequest(source=named(source), target=named(target), **more)
    merged = merging.merge(request, caller=caller, now=timezone.now())
    for patient in (source, target):
        patient.refresh_from_db()
    return merged


def unmerge(source, target, caller=SOFTWARE):
    undone = merging.unmerge(named(source), caller=caller, now=timezone.now())
    for patient in (source, target):
        patient.refresh_from_db()
    return undone


def links(patient):
    return [(link["type"], link["other"]["reference"]) for link in patient.extra.get("link", ())]


@pytest.fixture
def twin(db):
    """Another record of Ada, without an account."""
    return PatientFactory(
        given="Ada", family="Quin", identifier=[NUMBER], email="", extra={"maritalStatus": {"text": "?"}}
    )


@pytest.fixture
def rows(twin, service, chen):
    """Everything that can refer to the twin, by type."""
    visit = AppointmentFactory(patient=twin, service=service, schedules=[chen], start=monday(9))
    own = {"reference": twin.reference}
    return {
        "Appointment": visit,
        "AppointmentResponse": AppointmentResponseFactory(appointment=visit, actor={**own, "display": "Ada Quin"}),
        "RelatedPerson": RelatedPersonFactory(patient=twin, user=UserFactory()),
        "Coverage": CoverageFactory(beneficiary=twin, payor=[own], extra={"subscriber": own}),
        "CareTeam": CareTeamFactory(patient=twin, participant=[{"member": own}]),
        "ServiceRequest": ReferralFactory(patient=twin, requester=own),
        "Schedule": ScheduleFactory(actor=twin, services=[service]),
        "QuestionnaireResponse": QuestionnaireResponseFactory(
            appointment=visit, patient=twin, extra={"source": own, "author": own}
        ),
        "Encounter": EncounterFactory(appointment=visit, patient=twin),
        "Communication": CommunicationFactory(appointment=visit, patient=twin),
        "CalendarFeed": CalendarFeedFactory(patient=twin),
        "MessagePreferences": MessagePreferencesFactory(patient=twin, by_sms=False),
        "Launch": LaunchFactory(patient=twin),
    }


def resource(row):
    found = rows_of(RESOURCES[row.RESOURCE_TYPE]).get(pk=row.pk)
    return {name: value for name, value in to_fhir(found).items() if name != "meta"}


def references(rows):
    return {name: str(resource(row)) for name, row in rows.items() if name in RESOURCES}


def test_everything_that_refers_to_the_source_refers_to_the_target(ada, twin, rows):
    merged = merge(twin, ada)
    for name, text in references(rows).items():
        assert twin.reference not in text or name == "Appointment", name
        assert ada.reference in text, name
    visit = Appointment.objects.get()
    assert visit.patient == ada
    assert visit.extra["extension"] == [{"url": MERGED_PATIENT, "valueReference": {"reference": twin.reference}}]
    assert CalendarFeed.objects.get().patient == ada
    assert MessagePreferences.objects.get().patient == ada
    assert Launch.objects.get().patient == ada
    assert merged.moved == dict.fromkeys(sorted(set(rows) & set(RESOURCES)), 1)


def test_a_visit_with_others_has_the_target_in_the_place_of_the_source(ada, bo, twin, service):
    both = [{"actor": {"reference": each.reference}, "status": "accepted"} for each in (bo, twin)]
    visit = AppointmentFactory(patient=bo, service=service, start=monday(9), participant=both)
    merge(twin, ada)
    visit.refresh_from_db()
    assert (visit.patient, visit.participant[1]["actor"]["reference"]) == (bo, ada.reference)
    assert visit.other_patients.get().patient == ada
    unmerge(twin, ada)
    assert visit.other_patients.get().patient == twin


def test_the_records_name_each_other_and_the_source_is_inactive(ada, twin):
    merge(twin, ada)
    assert (twin.active, links(twin), twin.merged_into) == (False, [("replaced-by", ada.reference)], ada.fhir_id)
    assert (ada.active, links(ada)) == (True, [("replaces", twin.reference)])
    assert ada.identifier == [{**NUMBER, "use": "old"}]
    assert twin.extra["maritalStatus"] == {"text": "?"}


def test_the_account_moves_with_the_record(ada, twin):
    account = ada.user
    merge(ada, twin)
    assert (ada.user, twin.user) == (None, account)
    unmerge(ada, twin)
    assert (ada.user, twin.user) == (account, None)


def test_notes_and_flags_are_kept(ada, twin):
    note = PatientNoteFactory(patient=twin, text="Deaf on the left")
    twin.barred_online, twin.barred_reason = True, "Missed five visits"
    twin.save()
    resource_of_ada = {**resource(ada), "resourceType": "Patient"}
    merge(twin, ada, result={**resource_of_ada, "link": [{"other": {"reference": twin.reference}, "type": "replaces"}]})
    note.refresh_from_db()
    assert (note.patient, ada.barred_online, ada.barred_reason) == (ada, True, "Missed five visits")
    unmerge(twin, ada)
    note.refresh_from_db()
    assert (note.patient, ada.barred_online, ada.barred_reason) == (twin, False, "")
    assert (twin.barred_online, twin.barred_reason) == (True, "Missed five visits")


def test_a_carer_of_both_keeps_one_account(ada, twin):
    mother = UserFactory()
    RelatedPersonFactory(patient=ada, user=mother)
    double = RelatedPersonFactory(patient=twin, user=mother)
    merge(twin, ada)
    assert RelatedPerson.objects.filter(patient=ada).count() == 2
    assert RelatedPerson.objects.get(user=mother) != double
    unmerge(twin, ada)
    double.refresh_from_db()
    assert (double.patient, double.user) == (twin, mother)


def test_preferences_and_calendars_of_the_target_stay(ada, twin):
    MessagePreferencesFactory(patient=ada, by_email=False)
    MessagePreferencesFactory(patient=twin)
    merge(twin, ada)
    assert MessagePreferences.objects.get(patient=ada).by_email is False


def test_a_number_that_has_answered_stop_to_either_record_gets_no_text(ada, twin):
    MessagePreferencesFactory(patient=ada, stopped_numbers=["+12125550101"])
    MessagePreferencesFactory(patient=twin, stopped_numbers=["+12125550102", "+12125550101"])
    merge(twin, ada)
    assert MessagePreferences.objects.get(patient=ada).stopped_numbers == ["+12125550101", "+12125550102"]


def test_the_needs_of_both_records_are_kept(ada, twin):
    Patient.objects.filter(pk=ada.pk).update(needs=["hearing"], other_needs="An assistance dog")
    needs = {"needs": ["step-free", "hearing"], "interpreter_required": True, "interpreter_language": "uk"}
    Patient.objects.filter(pk=twin.pk).update(**needs, other_needs="A lift", returning=True)
    before = resource(ada)
    merge(twin, ada)
    assert (ada.needs, ada.other_needs) == (["hearing", "step-free"], "An assistance dog; A lift")
    assert (ada.interpreter_required, ada.interpreter_language, ada.returning) == (True, "uk", True)
    unmerge(twin, ada)
    assert resource(ada)["extension"] == before["extension"]


def test_the_target_can_be_sent_as_it_should_be(ada, twin):
    wanted = {"resourceType": "Patient", "id": ada.fhir_id, "name": [{"family": "Quinn-Lee", "given": ["Ada"]}]}
    merge(twin, ada, result=wanted)
    assert (ada.family, ada.identifier, links(ada)) == ("Quinn-Lee", [], [("replaces", twin.reference)])
    unmerge(twin, ada)
    assert (ada.family, links(ada)) == ("Quinn", [])
    with pytest.raises(Invalid, match="id of the URL"):
        merge(twin, ada, result={**wanted, "id": twin.fhir_id})


def test_a_preview_says_the_same_and_writes_nothing(ada, twin, rows):
    before = stored()
    previewed = merge(twin, ada, preview=True)
    assert stored() == before
    assert merge(twin, ada).moved == previewed.moved


def test_a_merge_that_is_done_is_not_done_again(ada, twin, rows):
    merge(twin, ada)
    before = stored()
    assert merge(twin, ada).moved == {}
    assert stored() == before


def test_undoing_gives_everything_back(ada, twin, rows):
    was = {**references(rows), "twin": resource(twin), "ada": resource(ada)}
    merge(twin, ada)
    unmerge(twin, ada)
    assert {**references(rows), "twin": resource(twin), "ada": resource(ada)} == was
    assert CalendarFeed.objects.get().patient == MessagePreferences.objects.get().patient == twin
    assert Bookable.objects.filter(patient=twin).exists()
    assert PatientMerge.objects.get().undone_at is not None


def test_later_rows_stay_with_the_target(ada, twin, rows, service, chen):
    merge(twin, ada)
    later = book(wish(service, chen, at=monday(11), patient=twin))
    assert later.patient == ada
    Patient.objects.filter(pk=ada.pk).update(family="Lee", version=ada.version + 1)
    unmerge(twin, ada)
    later.refresh_from_db()
    assert later.patient == ada
    assert (ada.family, ada.identifier, links(ada)) == ("Lee", [], [])
    assert (twin.active, links(twin)) == (True, [])


def test_it_can_be_merged_again_after_it_was_undone(ada, twin, rows):
    merge(twin, ada)
    unmerge(twin, ada)
    merge(twin, ada)
    assert Appointment.objects.get().patient == ada
    assert PatientMerge.objects.filter(undone_at=None).count() == 1


def test_both_are_written_down(ada, twin, rows):
    merge(twin, ada)
    lines = AuditEvent.objects.filter(subtype="merge")
    assert {line.target.partition("/_history")[0] for line in lines if line.target} == {
        twin.reference,
        ada.reference,
        *(row.reference for name, row in rows.items() if name in RESOURCES and name != "Appointment"),
    }
    assert lines.get(appointment__isnull=False).patient == ada
    unmerge(twin, ada)
    assert AuditEvent.objects.filter(subtype="unmerge").count() == lines.count()


def both_have_a_visit(ada, twin, service):
    for patient in (ada, twin):
        calendar = ScheduleFactory(services=[service])
        AppointmentFactory(patient=patient, service=service, schedules=[calendar], start=monday(9))


def both_come_to_a_visit(ada, twin, service):
    both = [{"actor": {"reference": each.reference}, "status": "accepted"} for each in (ada, twin)]
    AppointmentFactory(patient=ada, service=service, start=monday(9), participant=both)


def both_sign_in(ada, twin, service):
    twin.user = UserFactory()
    twin.save()


def both_have_a_calendar(ada, twin, service):
    for patient in (ada, twin):
        ScheduleFactory(actor=patient, services=[service])


def the_source_was_merged(ada, twin, service):
    merge(twin, PatientFactory())


def the_target_was_merged(ada, twin, service):
    merge(ada, PatientFactory())


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        (both_have_a_visit, "visit at the same time"),
        (both_come_to_a_visit, "visit at the same time"),
        (both_sign_in, "account of their own"),
        (both_have_a_calendar, "calendar of their own"),
        (the_source_was_merged, "merged into another one before"),
        (the_target_was_merged, "Use that one"),
    ],
)
def test_an_obstacle_is_named_and_nothing_is_written(ada, twin, service, situation, reason):
    situation(ada, twin, service)
    before = stored()
    with pytest.raises(RuleBroken, match=reason):
        merge(twin, ada)
    assert stored() == before


def test_visits_that_are_over_or_cancelled_are_no_obstacle(ada, twin, service):
    past = monday(9) - timedelta(weeks=8)
    for patient in (ada, twin):
        AppointmentFactory(patient=patient, service=service, start=past)
        AppointmentFactory(patient=patient, service=service, start=monday(9), status="cancelled")
    assert merge(twin, ada).moved == {"Appointment": 2}


def test_the_desk_is_not_told_of_visits_elsewhere(ada, twin, service):
    both_have_a_visit(ada, twin, service)
    desk = Caller(user=UserFactory(desk_locations=[LocationFactory()]))
    with pytest.raises(RuleBroken) as refused:
        merge(twin, ada, desk)
    assert "Appointment/" not in str(refused.value)
    with pytest.raises(RuleBroken, match="Appointment/"):
        merge(twin, ada)


def test_identifiers_name_a_record_if_only_one_has_them(ada, twin):
    by_number = RecordName(identifiers=(NUMBER,))
    merging.merge(MergeRequest(source=by_number, target=named(ada)), caller=SOFTWARE, now=timezone.now())
    twin.refresh_from_db()
    assert twin.merged_into == ada.fhir_id
    for name in (by_number, RecordName(fhir_id=twin.fhir_id, identifiers=({"value": "another"},))):
        with pytest.raises((NotFound, merging.SeveralMatch)):
            merging.merge(MergeRequest(source=name, target=named(ada)), caller=SOFTWARE, now=timezone.now())


def test_one_record_is_not_merged_into_itself(ada):
    with pytest.raises(Invalid, match="same record"):
        merge(ada, ada)


def test_only_a_merge_of_ours_is_undone(ada, twin):
    twin.extra["link"] = [{"type": "replaced-by", "other": {"reference": ada.reference}}]
    twin.save()
    with pytest.raises(RuleBroken, match="not by this system"):
        unmerge(twin, ada)


def test_a_chain_of_merges_is_undone_from_its_end(ada, twin):
    last = PatientFactory()
    merge(twin, ada)
    merge(ada, last)
    with pytest.raises(RuleBroken, match="Undo that first"):
        unmerge(twin, ada)
    unmerge(ada, last)
    unmerge(twin, ada)
    assert (twin.active, ada.active, links(ada)) == (True, True, [])


def test_only_the_clinic_merges(ada, twin, chen):
    narrow = Caller(client="app", scopes=("system/Patient.rs",))
    for caller in (Caller(), Caller(user=ada.user), Caller(user=chen.actor.user or UserFactory()), narrow):
        with pytest.raises(Forbidden):
            merge(twin, ada, caller)
        with pytest.raises(Forbidden):
            unmerge(twin, ada, caller)


def test_a_visit_that_somebody_else_changes_is_waited_for(ada, twin, rows):
    with another_connection() as execute:
        execute("BEGIN")
        execute(f"SELECT 1 FROM clinic_appointment WHERE id = {rows['Appointment'].pk} FOR NO KEY UPDATE")
        with impatient(), pytest.raises(ScheduleBusy):
            merge(twin, ada)
        execute("ROLLBACK")
    assert merge(twin, ada).moved["Appointment"] == 1


def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(ada, twin, service):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            merge(twin, ada)
        unmerge(twin, ada)
        return len(captured)

    def add(hour):
        visit = AppointmentFactory(patient=twin, service=service, start=monday(hour))
        CommunicationFactory(appointment=visit, patient=twin)
        AppointmentResponseFactory(appointment=visit, actor={"reference": twin.reference})
        CoverageFactory(beneficiary=twin)

    add(9)
    before = statements()
    for hour in range(10, 15):
        add(hour)
    assert statements() == before


def test_every_table_that_refers_to_patients_is_moved_or_left_on_purpose():
    referring = {relation.related_model for relation in Patient._meta.related_objects}
    left = {AuditEvent, PatientMerge}  # they say what was, not what is
    of_visits = {Appointment, AppointmentPatient}  # the database keeps the second in step with the first
    assert referring - left - of_visits == {
        *(model for model in MOVED if model in referring),
        *FEEDS_AND_APPS,
        *ONE_EACH,
    }


def test_holds_of_the_source_go_on(ada, twin, service, chen):
    held = booking.hold(wish(service, chen, at=monday(9), patient=twin), caller=SOFTWARE, now=timezone.now())
    merge(twin, ada)
    visit = booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert (visit.status, visit.patient) == ("booked", ada)
