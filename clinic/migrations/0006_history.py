from django.db import migrations, models

from clinic.models.history import KEEP_VERSION, keep_versions, keys_of

PARAMETERS = """'scheduling_parameters', (
    SELECT COALESCE(jsonb_agg(to_jsonb(own)), '[]') FROM clinic_schedulingparameters own WHERE {whose}
)"""
# A visit that is moved or cancelled has just let go of the Slots that it had.
SLOTS = """'slots', (
    SELECT COALESCE(jsonb_agg(id), '[]') FROM clinic_slot
    WHERE appointment_id = $1 AND (deleted_at IS NULL OR deleted_at = $2)
)"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0005_hold_left")]

    operations = [
        migrations.CreateModel(
            name="PastVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("resource_type", models.CharField(max_length=64)),
                ("row_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField()),
                ("last_updated", models.DateTimeField()),
                ("patient_id", models.BigIntegerField(null=True)),
                ("row", models.JSONField()),
                ("related", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["resource_type", "last_updated"], name="past_version_in_time"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("resource_type", "row_id", "version"), name="past_version_once"),
                ],
            },
        ),
        migrations.RunSQL(KEEP_VERSION, "DROP FUNCTION clinic_keep_version()"),
        *(
            keep_versions(kind)
            for kind in (
                "Organization",
                "Location",
                "Practitioner",
                "Questionnaire",
                "Device",
                "Patient",
                "RelatedPerson",
                "Coverage",
                "CareTeam",
                "Slot",
                "QuestionnaireResponse",
                "Encounter",
                "Communication",
                "AuditEvent",
            )
        ),
        keep_versions(
            "PractitionerRole",
            keys_of("locations", "clinic_practitionerrole_locations", "practitionerrole_id", "location_id"),
            keys_of("services", "clinic_practitionerrole_services", "practitionerrole_id", "healthcareservice_id"),
        ),
        keep_versions(
            "HealthcareService",
            keys_of("locations", "clinic_healthcareservice_locations", "healthcareservice_id", "location_id"),
            keys_of(
                "questionnaires", "clinic_healthcareservice_questionnaires", "healthcareservice_id", "questionnaire_id"
            ),
            PARAMETERS.format(whose="service_id = $1 AND schedule_id IS NULL"),
        ),
        keep_versions(
            "Schedule",
            keys_of("services", "clinic_schedule_services", "schedule_id", "healthcareservice_id"),
            PARAMETERS.format(whose="schedule_id = $1"),
        ),
        keep_versions("Appointment", SLOTS),
    ]
