import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0084_fhir_exports")]

    operations = [
        migrations.AddField(
            "absence",
            "closure",
            models.ForeignKey(
                null=True,
                editable=False,
                db_index=False,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="absences",
                to="clinic.closure",
            ),
        ),
    ]
