"""A unique index over messages, made without blocking those that are written meanwhile."""

from django.db import migrations, models

CREATE = """
    CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS communication_note_once
    ON clinic_communication (staff_message_id, medium, address, patient_id) WHERE staff_message_id IS NOT NULL
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS communication_note_once"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("clinic", "0070_imports"),
    ]

    operations = [
        migrations.RunSQL(
            CREATE,
            DROP,
            state_operations=[
                migrations.AddConstraint(
                    model_name="communication",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("staff_message__isnull", False)),
                        fields=("staff_message", "medium", "address", "patient"),
                        name="communication_note_once",
                    ),
                ),
            ],
        ),
    ]
