"""Records that may be of one person: which pairs the worker finds, and what staff decide about them."""

from datetime import date
from functools import partial

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import AuditEvent, DuplicatePair, Patient, PatientMerge
from scheduling import tasks
from scheduling.access import Caller
from scheduling.errors import Forbidden, RuleBroken, VersionConflict
from scheduling.interactions import duplicates, merging
from scheduling.interactions.merging import MergeRequest, RecordName
from tests.factories import PatientFactory, PatientNoteFactory
from tests.scheduling.situations import SOFTWARE, at_once

pytestmark = pytest.mark.django_db(transaction=True)

BORN = date(1985, 3, 27)
BASE = {
    "given": "Elena",
    "family": "Marquez",
    "birth_date": BORN,
    "phone": "+12125550199",
    "email": "elena@example.com",
}
ALONE = {"phone": "", "email": ""}
MRN = [{"system": "urn:mrn", "value": "77"}]
# What the other record says, and the reasons that are found; none for two people.
CASES = {
    "the same name and birth date": ({**BASE, **ALONE}, {"name", "birth-date"}),
    "a misspelt name": ({**BASE, **ALONE, "family": "Marqeuz"}, {"name", "birth-date"}),
    "names in each other's place": ({**BASE, **ALONE, "given": "Marquez", "family": "Elena"}, {"name", "birth-date"}),
    "a second given name": ({**BASE, **ALONE, "given": "Elena Maria"}, {"name", "birth-date"}),
    "the number in another writing": (
        {**BASE, "email": "", "phone": "(212) 555-0199"},
        {"name", "birth-date", "contact"},
    ),
    "no birth date, the same email": ({**BASE, "birth_date": None, "phone": ""}, {"name", "contact"}),
    "a mistyped birth date, the same number": ({**BASE, "birth_date": date(1985, 3, 17)}, {"name", "contact"}),
    "the same identifier": (
        {"given": "E.", "family": "Marks", **ALONE, "birth_date": None, "identifier": MRN},
        {"identifier"},
    ),
    "a twin": ({**BASE, "given": "Marta"}, set()),
    "a daughter of the same name": ({**BASE, "birth_date": date(2010, 11, 5)}, set()),
    "somebody with the same birth date": ({**BASE, **ALONE, "given": "John", "family": "Smith"}, set()),
    "a namesake": ({**BASE, **ALONE, "birth_date": date(1961, 12, 9)}, set()),
    "an inactive record": ({**BASE, "active": False}, set()),
}


@pytest.fixture(autouse=True)
def nothing_compared_yet():
    cache.delete(tasks.COMPARED)


@pytest.fixture
def pair(db):
    """Elena, registered twice."""
    elena = PatientFactory(**BASE, identifier=MRN)
    PatientFactory(**{**BASE, "family": "Marqeuz", "phone": "", "gender": "female"})
    tasks.find_duplicates()
    pair = DuplicatePair.objects.get()
    assert pair.first == elena
    return pair


@pytest.mark.parametrize("case", CASES)
def test_pairs_are_found(case):
    columns, reasons = CASES[case]
    elena = PatientFactory(**BASE, identifier=MRN)
    other = PatientFactory(**columns)
    tasks.find_duplicates()
    found = {(pair.first, pair.second): set(pair.reasons) for pair in DuplicatePair.objects.all()}
    assert found == ({(elena, other): reasons} if reasons else {})


def test_many_records_take_as_many_statements_as_two():
    def statements():
        with CaptureQueriesContext(connection) as captured:
            duplicates.compare_changed(None, now=timezone.now())
        return len(captured)

    PatientFactory(**BASE)
    PatientFactory(**BASE)
    few = statements()
    for number in range(20):
        PatientFactory(**{**BASE, "phone": f"+1212555{number:04}"})
    assert statements() == few
    assert DuplicatePair.objects.count() == 22 * 21 / 2


def test_only_records_that_were_written_since_are_compared_again(pair):
    position = duplicates.compare_changed(None, now=timezone.now())
    assert duplicates.compare_changed(position, now=timezone.now()) is None


def test_a_pair_that_is_alike_no_more_is_forgotten(pair):
    Patient.objects.filter(pk=pair.second_id).update(
        given="John", family="Smith", birth_date=None, email="", last_updated=timezone.now()
    )
    tasks.find_duplicates()
    assert not DuplicatePair.objects.exists()


def test_a_rejected_pair_is_remembered_and_can_be_taken_back(pair, boss):
    now = timezone.now()
    duplicates.reject_pair(pair.pk, caller=boss, now=now)
    cache.delete(tasks.COMPARED)
    tasks.find_duplicates()
    assert not duplicates.open_pairs(boss).exists()
    assert AuditEvent.objects.filter(subtype="no duplicate").count() == 2
    duplicates.reopen_pair(pair.pk, caller=boss, now=now)
    assert duplicates.open_pairs(boss).get() == pair


def test_a_pair_is_open_until_it_is_merged_and_again_once_that_is_undone(pair, boss):
    now = timezone.now()
    request = MergeRequest(
        source=RecordName(fhir_id=pair.second.fhir_id), target=RecordName(fhir_id=pair.first.fhir_id)
    )
    merging.merge(request, caller=boss, now=now)
    tasks.find_duplicates()
    assert not duplicates.open_pairs(boss).exists()
    merging.unmerge(request.source, caller=boss, now=now)
    assert duplicates.open_pairs(boss).get() == pair


def test_only_those_who_may_merge_decide(pair, ada):
    caller = Caller(user=ada.user)
    assert not duplicates.open_pairs(caller).exists()
    with pytest.raises(Forbidden):
        duplicates.reject_pair(pair.pk, caller=caller, now=timezone.now())


def test_the_target_takes_the_chosen_fields_and_gives_them_back(pair, boss):
    now, note = timezone.now(), PatientNoteFactory(patient=pair.second)
    Patient.objects.filter(pk=pair.second_id).update(extra={"address": [{"city": "Poughkeepsie"}]})
    request = MergeRequest(
        source=RecordName(fhir_id=pair.second.fhir_id),
        target=RecordName(fhir_id=pair.first.fhir_id),
        taken=frozenset({"family", "given", "prefix", "name", "gender", "address"}),
    )
    merging.merge(request, caller=boss, now=now)
    target = Patient.objects.get(pk=pair.first_id)
    assert (target.family, target.gender, target.phone) == ("Marqeuz", "female", BASE["phone"])
    assert target.extra["address"] == [{"city": "Poughkeepsie"}]
    note.refresh_from_db()
    assert note.patient == target
    merging.unmerge(request.source, caller=boss, now=now)
    target.refresh_from_db()
    assert (target.family, target.gender, "address" in target.extra) == ("Marquez", pair.first.gender, False)


def merges(pair, caller, **more):
    """The same pair merged one way and the other way, and the first way once more."""
    first, second = (RecordName(fhir_id=each.fhir_id) for each in (pair.first, pair.second))
    ways = ((first, second), (second, first), (first, second))
    requests = [MergeRequest(source=source, target=target, **more) for source, target in ways]
    return [partial(merging.merge, request, caller=caller, now=timezone.now()) for request in requests]


@pytest.mark.parametrize("caller", [SOFTWARE, None], ids=["software", "staff"])
def test_of_several_who_merge_a_pair_at_once_one_way_wins(pair, boss, caller):
    """A control is below: one after the other gives the same."""
    results = at_once(merges(pair, caller or boss))
    assert PatientMerge.objects.count() == 1
    refused = [each for each in results if isinstance(each, RuleBroken)]
    assert len(refused) in (1, 2)
    survivors = Patient.objects.filter(pk__in=[pair.first_id, pair.second_id], active=True)
    assert survivors.count() == 1


def test_one_after_the_other_only_the_first_way_wins(pair, boss):
    first, other_way, again = merges(pair, boss)
    first()
    with pytest.raises(RuleBroken):
        other_way()
    assert again().moved == {}
    assert PatientMerge.objects.count() == 1


def test_who_merges_versions_that_are_gone_is_told(pair, boss):
    stale = (pair.second.version + 1, pair.first.version)
    with pytest.raises(VersionConflict):
        merging.merge(
            MergeRequest(
                source=RecordName(fhir_id=pair.second.fhir_id),
                target=RecordName(fhir_id=pair.first.fhir_id),
                versions=stale,
            ),
            caller=boss,
            now=timezone.now(),
        )
    assert not PatientMerge.objects.exists()
