"""What resources were before they were changed: https://hl7.org/fhir/R4/http.html#history"""

from django.db import migrations, models
from django.db.models.functions import Now


class PastVersion(models.Model):
    """A version of a resource that another has replaced. Only the database writes them: see `keep_versions`.

    `row` is the row as it was; `related` what belonged to it in other tables, by field name: primary keys, or rows
    that do not outlive it. `patient_id` is the patient whom it named, `replaced` when the next version came.
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
        indexes = [models.Index(fields=["resource_type", "last_updated"], name="past_version_in_time")]

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
    """Keep each version of a resource that the next one replaces, whoever writes it, be it SQL by hand.

    For the migration that makes its table. `related` are pairs of a field's name and a query for what belonged to the
    row in other tables, in SQL, where $1 is its primary key and $2 the time of the change. Whatever changes such
    things writes the row first. Nothing is written when a row is made, so that booking stays quick.
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
    """For `keep_versions`: the primary keys of a many-to-many field."""
    return f"'{name}', (SELECT COALESCE(jsonb_agg({other}), '[]') FROM {table} WHERE {row} = $1)"
