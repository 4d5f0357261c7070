from django.db import migrations

# scheduling/availability/offering_cache.py says why the stamp is a set of random numbers.
STAMP = """
CREATE TABLE clinic_offeringstamp (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
INSERT INTO clinic_offeringstamp DEFAULT VALUES;

CREATE FUNCTION clinic_stamp_offerings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    transaction text := pg_current_xact_id();
BEGIN
    IF split_part(coalesce(current_setting('clinic.offerings_changed', true), ''), ' ', 1) <> transaction THEN
        DELETE FROM clinic_offeringstamp WHERE id IN (SELECT id FROM clinic_offeringstamp FOR UPDATE SKIP LOCKED);
        INSERT INTO clinic_offeringstamp DEFAULT VALUES;
    END IF;
    PERFORM set_config('clinic.offerings_changed', transaction || ' ' || gen_random_uuid(), true);
    RETURN NULL;
END $$;
"""
DROP_STAMP = "DROP FUNCTION clinic_stamp_offerings(); DROP TABLE clinic_offeringstamp"
TABLES = (
    "bookable device healthcareservice location practitioner practitionerrole schedule schedule_services"
    " schedulingparameters"
).split()
CREATE = [
    f"CREATE TRIGGER stamp_offerings AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clinic_{table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION clinic_stamp_offerings()"
    for table in TABLES
] + [  # the id is all that an offering has of a patient, whose other columns change often
    "CREATE TRIGGER stamp_offerings AFTER UPDATE OF fhir_id ON clinic_patient FOR EACH ROW"
    " WHEN (OLD.fhir_id <> NEW.fhir_id) EXECUTE FUNCTION clinic_stamp_offerings()"
]
DROP = [f"DROP TRIGGER stamp_offerings ON clinic_{table}" for table in (*TABLES, "patient")]


class Migration(migrations.Migration):
    dependencies = [("clinic", "0024_words_are_kept")]

    operations = [
        migrations.RunSQL(STAMP, DROP_STAMP),
        migrations.RunSQL(CREATE, DROP),
    ]
