from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0086_payments_at_the_desk")]

    operations = [
        migrations.AddField(
            "schedulingparameters",
            "new_patient_session_limit",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="Visits of new patients in one spell of the hours of a schedule; empty: no limit.",
                null=True,
                validators=[MinValueValidator(1), MaxValueValidator(1000)],
                verbose_name="new patients a session",
            ),
        ),
    ]
