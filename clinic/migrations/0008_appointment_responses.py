import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

import clinic.models.base
from clinic.models.history import keep_versions

EVENTS = [
    ("request", "A visit is asked for"),
    ("confirmation", "A visit is booked"),
    ("change", "A visit is moved or changed"),
    ("cancellation", "A visit is cancelled"),
    ("reminder", "A visit is near"),
    ("proof", "A guest proves an e-mail address"),
]


class Migration(migrations.Migration):
    dependencies = [("clinic", "0007_subscriptions")]

    operations = [
        migrations.CreateModel(
            name="AppointmentResponse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "fhir_id",
                    models.CharField(
                        default=clinic.models.base.new_fhir_id,
                        max_length=64,
                        unique=True,
                        validators=[clinic.models.base.validate_fhir_id],
                        verbose_name="id",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("last_updated", models.DateTimeField(db_index=True, editable=False)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("actor", models.JSONField(help_text="FHIR Reference.")),
                ("participant_type", models.JSONField(blank=True, default=list, help_text="FHIR CodeableConcepts.")),
                (
                    "participant_status",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("tentative", "Tentative"),
                            ("needs-action", "Needs Action"),
                        ],
                        max_length=20,
                    ),
                ),
                ("start", models.DateTimeField(blank=True, null=True)),
                ("end", models.DateTimeField(blank=True, null=True)),
                ("comment", models.TextField(blank=True)),
                ("identifier", models.JSONField(blank=True, default=list)),
                (
                    "appointment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="responses",
                        to="clinic.appointment",
                    ),
                ),
            ],
            options={"ordering": ["-last_updated", "-pk"]},
        ),
        migrations.AddIndex(
            model_name="appointmentresponse",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["actor"], name="response_actor", opclasses=["jsonb_path_ops"]
            ),
        ),
        keep_versions("AppointmentResponse"),
        migrations.AddField(
            model_name="healthcareservice",
            name="on_request",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "Patients ask for a time, which is kept; it is booked once the people of the visit have accepted."
                ),
                verbose_name="on request",
            ),
        ),
        migrations.AlterField(
            model_name="communication",
            name="event",
            field=models.CharField(choices=EVENTS, max_length=20),
        ),
        migrations.AlterField(
            model_name="messagetemplate",
            name="event",
            field=models.CharField(choices=EVENTS, max_length=20),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(fields=["birth_date"], name="patient_birth_date"),
        ),
    ]
