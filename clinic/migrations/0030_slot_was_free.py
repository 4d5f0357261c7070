from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0029_several_encounters")]

    operations = [
        migrations.AddField("slot", "was_free", models.BooleanField(db_default=False, default=False, editable=False)),
        AddIndexConcurrently(
            "slot",
            models.Index(
                condition=models.Q(
                    ("deleted_at__isnull", True), ("hold_expires_at__isnull", False), ("was_free", True)
                ),
                fields=["end"],
                name="slot_held_once_free",
            ),
        ),
    ]
