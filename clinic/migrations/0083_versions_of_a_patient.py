from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("clinic", "0082_erasures"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="pastversion",
            index=models.Index(fields=["patient_id"], name="past_version_of_patient"),
        ),
    ]
