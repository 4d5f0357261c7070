"""Past versions of resources: https://hl7.org/fhir/R4/http.html#history"""

from django.db import migrations, models
from django.db.models.functions import Now


class PastVersion(models.Model):
    """A replaced version of a resource. Only triggers of the database write them: see `keep_versions`.

    `row` is the replaced row. `related` holds what belonged to it in other tables, by field name: primary keys, or
    whole rows that are deleted with it. `patient_id` is the patient whom it named; `replaced` is the time of the next
    version.
    """

    resource_type = models.CharField(max_length=64)
    row_id = models.BigIntegerField()
    version = models.PositiveIntegerField()
    last_updated = models.DateTimeField()
    patient_id = models.BigIntegerField(null=True)
    row = models.JSONField()
    related = models.JSONField(default=dict)
    replaced = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource_type", "row_id", "version"], name="past_version_once"),
        ]
        indexes = [
            models.Index(fields=["resource_type", "last_updated"], name="past_version_in_time"),
            models.Index(fields=["patient_id"], name="past_version_of_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.resource_type}/{self.row.get('fhir_id')}/_history/{self.version}"


KEEP_VERSION = """
    CREATE FUNCTION clinic_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        was jsonb := to_jsonb(OLD);
        related jsonb := '{}';
    BEGIN
        IF TG_NARGS > 1 THEN
            EXECUTE 'SELECT jsonb_build_object(' || TG_ARGV[1] || ')' INTO related USING OLD.id, NEW.last_updated;
        END IF;
        INSERT INTO clinic_pastversion (resource_type, row_id, version, last_updated, patient_id, "row", related)
        VALUES (
            TG_ARGV[0], OLD.id, OLD.version, OLD.last_updated,
            COALESCE(was ->> 'patient_id', was ->> 'beneficiary_id')::bigint, was, related
        )
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
"""


def keep_versions(resource_type: str, *related: str) -> migrations.RunSQL:
    """Return the migration operation that stores each replaced version of a resource, also after SQL by hand.

    `related` are pairs of a field's name and an SQL query for what belongs to the row in other tables; in it, $1 is
    the row's primary key and $2 the time of the change. Code that changes related rows updates the row itself first.
    Creating a row stores no version, so that booking stays quick.
    """
    table = f"clinic_{resource_type.lower()}"
    arguments = f"'{resource_type}'"
    if related:
        quoted = ", ".join(related).replace("'", "''")
        arguments += f", '{quoted}'"
    return migrations.RunSQL(
        f"CREATE TRIGGER keep_version AFTER UPDATE ON {table} FOR EACH ROW"
        " WHEN (OLD.version IS DISTINCT FROM NEW.version)"
        f" EXECUTE FUNCTION clinic_keep_version({arguments})",
        f"DROP TRIGGER keep_version ON {table}",
    )


def keys_of(name: str, table: str, row: str, other: str) -> str:
    """Return the `related` pair for a many-to-many field: its name, and a query for its primary keys."""
    return f"'{name}', (SELECT COALESCE(jsonb_agg({other}), '[]') FROM {table} WHERE {row} = $1)"
