import django.db.models.deletion
from django.db import migrations, models

# Django makes an index for LIKE beside each unique or indexed column of text. These columns are only compared as a whole.
LIKE = {
    "clinic_appointment_fhir_id_e21032cc_like": ("appointment", "fhir_id"),
    "clinic_appointment_held_by_guest_3bbc2047_like": ("appointment", "held_by_guest"),
    "clinic_appointmentresponse_fhir_id_4631deb7_like": ("appointmentresponse", "fhir_id"),
    "clinic_auditevent_fhir_id_cf577203_like": ("auditevent", "fhir_id"),
    "clinic_careteam_fhir_id_e260bd9f_like": ("careteam", "fhir_id"),
    "clinic_communication_fhir_id_75d20b34_like": ("communication", "fhir_id"),
    "clinic_communication_provider_id_40dbe563_like": ("communication", "provider_id"),
    "clinic_coverage_fhir_id_8e35a002_like": ("coverage", "fhir_id"),
    "clinic_device_fhir_id_a4863193_like": ("device", "fhir_id"),
    "clinic_encounter_fhir_id_ce4f8c32_like": ("encounter", "fhir_id"),
    "clinic_healthcareservice_fhir_id_57f4e120_like": ("healthcareservice", "fhir_id"),
    "clinic_location_fhir_id_22f037ca_like": ("location", "fhir_id"),
    "clinic_organization_fhir_id_57ea04f2_like": ("organization", "fhir_id"),
    "clinic_patient_fhir_id_7156f81b_like": ("patient", "fhir_id"),
    "clinic_practitioner_fhir_id_e55963d3_like": ("practitioner", "fhir_id"),
    "clinic_practitionerrole_fhir_id_94e3ea23_like": ("practitionerrole", "fhir_id"),
    "clinic_questionnaire_fhir_id_dda1ff55_like": ("questionnaire", "fhir_id"),
    "clinic_questionnaireresponse_fhir_id_b510a84b_like": ("questionnaireresponse", "fhir_id"),
    "clinic_relatedperson_fhir_id_8e930a20_like": ("relatedperson", "fhir_id"),
    "clinic_schedule_fhir_id_6e2756ed_like": ("schedule", "fhir_id"),
    "clinic_slot_fhir_id_2a2b48e5_like": ("slot", "fhir_id"),
    "clinic_subscription_fhir_id_a7431fb2_like": ("subscription", "fhir_id"),
}


def without(name, table, columns):
    """Drop an index while the clinic goes on writing. It can be run again."""
    return migrations.RunSQL(
        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON clinic_{table} ({columns})",
    )


def patient_of(model, related_name):
    """The index of the patient alone is the beginning of another one, of the patient and a time."""
    patient = models.ForeignKey(
        "clinic.Patient",
        django.db.models.deletion.PROTECT,
        null=True,
        blank=True,
        related_name=related_name,
        db_index=False,
    )
    return migrations.AlterField(model, "patient", patient)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0025_stamp_of_offerings")]

    operations = [
        *(without(name, table, f"{column} varchar_pattern_ops") for name, (table, column) in LIKE.items()),
        migrations.SeparateDatabaseAndState(
            [
                without("clinic_appointment_patient_id_dd04daf6", "appointment", "patient_id"),
                without("clinic_communication_patient_id_15b75ac9", "communication", "patient_id"),
            ],
            [patient_of("appointment", "appointments"), patient_of("communication", "communications")],
        ),
    ]
