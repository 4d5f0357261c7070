"""Each index of a table that bookings write is used, since every booking pays for it."""

import pytest
from django.db import connection

from clinic.models import Appointment, AuditEvent, Communication, Slot

pytestmark = pytest.mark.django_db

WRITTEN = [Appointment, Slot, AuditEvent, Communication]
# An index without a condition whose columns another one begins with.
BEGINNINGS = """
    SELECT short.indexrelid::regclass::text FROM pg_index short
    JOIN pg_index long ON long.indrelid = short.indrelid AND long.indexrelid <> short.indexrelid
    JOIN pg_class kind ON kind.oid = short.indexrelid JOIN pg_class other ON other.oid = long.indexrelid
    WHERE short.indrelid = %s::regclass AND kind.relam = other.relam AND NOT short.indisunique
        AND short.indpred IS NULL AND long.indpred IS NULL AND short.indexprs IS NULL AND long.indexprs IS NULL
        AND (long.indkey::int2[])[0:short.indnkeyatts - 1] = (short.indkey::int2[])[0:short.indnkeyatts - 1]
        AND (long.indclass::oid[])[0:short.indnkeyatts - 1] = (short.indclass::oid[])[0:short.indnkeyatts - 1]
"""


@pytest.mark.parametrize("model", WRITTEN)
def test_no_index_is_the_beginning_of_another(model):
    with connection.cursor() as cursor:
        cursor.execute(BEGINNINGS, [model._meta.db_table])
        assert cursor.fetchall() == []


@pytest.mark.parametrize("model", WRITTEN)
def test_there_is_no_index_for_like_since_no_search_compiles_to_it(model):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [model._meta.db_table])
        assert not [definition for (definition,) in cursor.fetchall() if "pattern_ops" in definition]


@pytest.mark.parametrize(
    ("model", "conditions", "index"),
    [
        (Appointment, {"patient": 1}, "appointment_of_patient"),
        (Communication, {"patient": 1}, "communication_of_patient"),
        (Appointment, {"fhir_id": "a"}, "clinic_appointment_fhir_id_key"),
        (Appointment, {"fhir_id__in": ["a", "b"]}, "clinic_appointment_fhir_id_key"),
        (Slot, {"fhir_id": "a"}, "clinic_slot_fhir_id_key"),
        (AuditEvent, {"fhir_id": "a"}, "clinic_auditevent_fhir_id_key"),
        (Communication, {"provider_id": "a"}, "clinic_communication_provider_id"),
        (Appointment, {"held_by_guest": "a"}, "clinic_appointment_held_by_guest"),
    ],
)
def test_remaining_indexes_serve_the_queries(model, conditions, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    assert index in model.objects.filter(**conditions).order_by().explain()
