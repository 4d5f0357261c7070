from django.contrib.postgres.operations import ValidateConstraint
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0074_kept_time")]

    operations = [
        ValidateConstraint("schedulingparameters", "parameters_keep_time_on_a_schedule"),
        migrations.AddField(
            "schedulingparameters",
            "session_limit",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="In one spell of the hours of a schedule, such as a morning; empty: no limit.",
                null=True,
                validators=[MinValueValidator(1), MaxValueValidator(1000)],
                verbose_name="visits a session",
            ),
        ),
    ]
