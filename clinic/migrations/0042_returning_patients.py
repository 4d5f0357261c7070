from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0041_service_prices")]

    operations = [
        migrations.AddField(
            "patient",
            "returning",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="Counts as a returning patient, even without a visit in this system.",
                verbose_name="has been here before",
            ),
        ),
    ]
