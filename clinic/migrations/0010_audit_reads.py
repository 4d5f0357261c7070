from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0009_smart")]

    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="query",
            field=models.TextField(blank=True, help_text="What was asked for where it was more than one resource."),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="target",
            field=models.CharField(blank=True, help_text="What was read, as a FHIR reference.", max_length=200),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="subtype",
            field=models.CharField(help_text="The use case, such as book or cancel, or read.", max_length=50),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["recorded", "id"], name="audit_recorded"),
        ),
    ]
