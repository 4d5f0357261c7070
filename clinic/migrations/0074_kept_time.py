from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("clinic", "0073_refused_payment_orders")]

    operations = [
        migrations.AddField(
            "schedulingparameters",
            "kept",
            models.JSONField(blank=True, db_default=[], default=list, verbose_name="kept time"),
        ),
        AddConstraintNotValid(
            "schedulingparameters",
            models.CheckConstraint(
                condition=Q(schedule__isnull=False) | Q(kept=[]), name="parameters_keep_time_on_a_schedule"
            ),
        ),
    ]
