from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0050_waitlist")]

    operations = [
        AddIndexConcurrently(
            model_name="appointment",
            index=models.Index(fields=["service"], name="appointment_waiting", condition=models.Q(status="waitlist")),
        ),
    ]
