"""The search text of a resource is computed when it is written, and only read by searches."""

import json
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import PastVersion, Patient
from clinic.models import search_text as kept_words
from tests.api.access.world import app_of
from tests.api.conftest import Api, ids
from tests.factories import AppointmentFactory, PatientFactory, RelatedPersonFactory, ScheduleFactory, UserFactory
from tests.scheduling.situations import monday

MIGRATION = import_module("clinic.migrations.0024_words_are_kept")
LARGE = 900_000  # characters
ORGANIZATION = """
    INSERT INTO clinic_organization (fhir_id, version, last_updated, extra, active, name, identifier)
    VALUES ('it', 1, now(), '{}', true, 'Riverside Aneurysm Unit', '[]')
"""


def narrative(words: str) -> dict[str, Any]:
    return {"text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'}}


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def found(api: Api, word: str) -> bool:
    return ids(api.get("Patient", {"_content": word})) == ["it"] and ids(api.get("Patient", {"_text": word})) == ["it"]


def by_rest(api: Api, word: str) -> None:
    body = {"resourceType": "Patient", "id": "it", "name": [{"family": "Quinn"}], **narrative(word)}
    assert api.put("Patient/it", body).status_code in (200, 201)


def by_orm(api: Api, word: str) -> None:
    patient = Patient.objects.filter(fhir_id="it").first() or PatientFactory(fhir_id="it")
    patient.extra = narrative(word)
    patient.save()


def by_sql(api: Api, word: str) -> None:
    patient = Patient.objects.filter(fhir_id="it").first() or PatientFactory(fhir_id="it")
    sql("UPDATE clinic_patient SET extra = %s WHERE id = %s", json.dumps(narrative(word)), patient.pk)


@pytest.mark.parametrize("write", [by_rest, by_orm, by_sql])
def test_every_writer_updates_the_search_text(api, write: Callable[[Api, str], None]):
    write(api, "aneurysm")
    assert found(api, "aneurysm")
    write(api, "bronchitis")
    assert not found(api, "aneurysm")
    assert found(api, "bronchitis")


def test_a_row_that_sql_inserts_has_its_words(api):
    sql(ORGANIZATION)
    assert ids(api.get("Organization?_content=aneurysm")) == ["it"]


def test_a_deleted_resource_has_no_words_until_it_is_back(api):
    by_rest(api, "aneurysm")
    assert api.delete("Patient/it").status_code == 204
    assert not found(api, "aneurysm")
    assert sql("SELECT count(*) FROM clinic_patient_words") == [(0,)]
    sql("UPDATE clinic_patient SET deleted_at = NULL")
    assert found(api, "aneurysm")
    by_rest(api, "bronchitis")
    assert found(api, "bronchitis")


def test_a_row_that_is_no_more_leaves_no_words(db):
    for gone in ("DELETE FROM clinic_organization", "TRUNCATE clinic_organization CASCADE"):
        sql(ORGANIZATION)
        assert sql("SELECT count(*) FROM clinic_organization_words") == [(1,)]
        sql("SET CONSTRAINTS ALL IMMEDIATE")  # or their pending trigger events prevent TRUNCATE
        sql(gone)
        assert sql("SELECT count(*) FROM clinic_organization_words") == [(0,)]


def test_a_change_of_other_elements_keeps_the_search_text(db):
    patient = PatientFactory(extra=narrative("aneurysm"))
    written = "SELECT ctid::text FROM clinic_patient_words"
    before = sql(written)
    Patient.objects.filter(pk=patient.pk).update(last_updated=timezone.now(), version=2)
    assert sql(written) == before
    Patient.objects.filter(pk=patient.pk).update(family="Quinn")
    assert sql(written) != before


def test_the_beginning_of_a_large_resource_is_searched(api):
    text = f"first {'x ' * (LARGE // 2)} last"
    PatientFactory(fhir_id="told", extra=narrative(text))
    PatientFactory(fhir_id="sent", extra={"contact": [{"name": {"text": text}}]})
    assert sorted(ids(api.get("Patient?_content=first"))) == ["sent", "told"]
    assert ids(api.get("Patient?_text=first")) == ["told"]
    assert ids(api.get("Patient?_content=last")) == ids(api.get("Patient?_text=last")) == []


COMPUTING = ("to_tsvector", "clinic_words(", "clinic_texts", "ts_filter", "setweight", "::tsvector", "array_to_tsv")
ASKED = (
    "Patient?_content=aneurysm",
    "Patient?_text=aneurysm",
    'Patient?_content=(aneurysm or "broken bone") and x',
    "Patient?_content=aneurysm,bone",
    "?_content=aneurysm",
    "?_type=Appointment,Slot&_text=aneurysm",
    "Patient?_filter=_content co aneurysm or not (_text co bone)",
    "Patient?_has:Appointment:patient:_content=booked",
    "Appointment?patient:Patient._content=aneurysm",
    "Appointment?_content=aneurysm",
)


@pytest.mark.parametrize("query", ASKED)
@pytest.mark.parametrize("caller", ["software", "patient"])
def test_a_search_computes_no_words(api, ada, query, caller):
    client = api if caller == "software" else Api(user=ada.user)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        assert client.get(query).status_code == 200
    sql_text = " ".join(each["sql"] for each in statements)
    assert "phraseto_tsquery" in sql_text
    assert [each for each in COMPUTING if each in sql_text] == []


def plans(parameters: Api, query: str) -> str:
    """The plans of the statements that search for words: the total and the page."""
    with CaptureQueriesContext(connection) as statements:
        assert parameters.get(query).fhir["total"] > 0
    looking = [each["sql"] for each in statements if "tsquery" in each["sql"]]
    assert len(looking) == 2
    sql("SET LOCAL enable_seqscan = off")  # else PostgreSQL reads the small tables of a test as a whole
    return "\n".join(line for each in looking for (line,) in sql(f"EXPLAIN {each}"))


@pytest.fixture
def many(ada):
    """Five thousand patients, ten of them with a rare word."""
    sql("""
        INSERT INTO clinic_patient (fhir_id, version, last_updated, extra, active, family, given, prefix, gender, phone,
            email, identifier, language, search)
        SELECT 'n' || n, 1, now(), '{}', true, CASE WHEN n % 500 = 0 THEN 'Aneurysm' ELSE 'Cough' END,
            '', '', '', '', '', '[]', '', ''
        FROM generate_series(1, 5000) n
    """)
    ada.extra = {"contact": [{"name": {"text": "cough"}}]}
    ada.save()
    sql("SELECT gin_clean_pending_list('patient_kept_words')")  # as a vacuum does: pending entries slow the index down
    sql("ANALYZE clinic_patient, clinic_patient_words")


def test_a_rare_word_is_found_by_the_index(api, many):
    for query in ("Patient?_content=aneurysm", "Patient?_content=aneurysm&active=true"):
        plan = plans(api, query)
        assert plan.count("patient_kept_words") == 2
        assert "Seq Scan" not in plan


def test_an_app_of_a_patient_looks_at_the_words_of_its_own_rows_alone(ada, many):
    plan = plans(app_of(ada, "patient/Patient.rs"), "Patient?_content=cough")
    assert plan.count("clinic_patient_words_pkey") == 2
    assert "patient_kept_words" not in plan
    assert "Seq Scan on clinic_patient" not in plan


def test_history_keeps_no_words(api):
    by_rest(api, "aneurysm")
    by_rest(api, "bronchitis")
    assert PastVersion.objects.get().row.keys() == {each.column for each in Patient._meta.concrete_fields}


def moved_visit_of(kind: str) -> Any:
    return next(each for each in MIGRATION.KEPT if each.kind == kind)


def test_words_of_earlier_rows_are_filled_in_as_the_triggers_keep_them(ada, chen, monkeypatch):
    """The migration works in batches, and keeps rows that are written meanwhile."""
    monkeypatch.setattr(kept_words, "BATCH", 2)
    calendar = ScheduleFactory(actor=chen)
    visits = [AppointmentFactory(patient=ada, schedules=[calendar], start=monday(9 + hour)) for hour in range(5)]
    son = RelatedPersonFactory(patient=ada, given="Samuel")
    visits[1].participant += [{"actor": {"reference": son.reference, "display": "Samuel"}, "status": "accepted"}]
    visits[1].save()
    visits[2].deleted_at = timezone.now()
    visits[2].save()
    kept = sql("SELECT * FROM clinic_appointment_words ORDER BY row_id")
    assert len(kept) == 4
    sql("DELETE FROM clinic_appointment_words WHERE row_id <> %s", visits[3].pk)
    moved_visit_of("Appointment").fill().code(None, SimpleNamespace(connection=connection))
    assert sql("SELECT * FROM clinic_appointment_words ORDER BY row_id") == kept


def test_a_usual_visit_keeps_its_words_once(ada, chen):
    AppointmentFactory(patient=ada, schedules=[ScheduleFactory(actor=chen)])
    assert sql("SELECT parts IS NULL FROM clinic_appointment_words") == [(True,)]


def test_a_patient_whose_visit_gets_company_still_finds_it_by_what_they_are_shown(ada, chen):
    visit = AppointmentFactory(patient=ada, schedules=[ScheduleFactory(actor=chen)], comment="Migraine")
    client = Api(user=ada.user)
    eve = PatientFactory(fhir_id="eve", given="Evangeline", user=UserFactory())
    visit.participant += [{"actor": {"reference": eve.reference, "display": "Evangeline"}, "status": "tentative"}]
    visit.save()
    for words, word in (("migraine", 1), ("migraine booked", 1), ("evangeline", 0), ("migraine tentative", 0)):
        assert client.get("Appointment", {"_content": words}).fhir["total"] == word, words
    visit.participant = [each for each in visit.participant if each["actor"].get("reference") != ada.reference]
    visit.save()
    for words in ("evangeline", "migraine"):  # only the other patient has these words
        assert client.get("Appointment", {"_content": words}).fhir["total"] == 0, words


def test_a_migration_that_was_broken_off_can_be_run_again(api):
    by_rest(api, "aneurysm")
    for kept in MIGRATION.KEPT:
        for statement in kept.keep().sql:
            sql(statement)
    assert found(api, "aneurysm")
