from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0036_appointment_type_of_services")]

    operations = [
        migrations.AddField("appointment", "series", models.UUIDField(blank=True, editable=False, null=True)),
        migrations.AddField(
            "appointment", "occurrence", models.PositiveSmallIntegerField(blank=True, editable=False, null=True)
        ),
        migrations.AddField(
            "appointment", "occurrences", models.PositiveSmallIntegerField(blank=True, editable=False, null=True)
        ),
        AddIndexConcurrently(
            "appointment",
            models.Index(
                fields=["series", "occurrence"], name="appointment_of_series", condition=Q(series__isnull=False)
            ),
        ),
        AddConstraintNotValid(
            "appointment",
            models.CheckConstraint(
                name="appointment_numbered_in_series",
                condition=Q(series__isnull=True, occurrence__isnull=True, occurrences__isnull=True)
                | Q(series__isnull=False, occurrence__gte=1, occurrences__isnull=False, occurrences__gte=F("occurrence")),
            ),
        ),
        ValidateConstraint("appointment", "appointment_numbered_in_series"),
    ]
