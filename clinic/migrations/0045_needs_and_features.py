from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0044_courses_and_combined_visits")]

    operations = [
        migrations.AddField(
            "location",
            "features",
            ArrayField(
                models.CharField(
                    choices=[
                        ("step-free", "Step-free access"),
                        ("induction-loop", "Induction loop"),
                        ("quiet", "Quiet"),
                    ],
                    max_length=20,
                ),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(
            "patient",
            "interpreter_required",
            models.BooleanField(db_default=False, default=False, verbose_name="needs an interpreter"),
        ),
        migrations.AddField(
            "patient",
            "interpreter_language",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The interpreter's, such as es; sgn for a sign language.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            "patient",
            "needs",
            ArrayField(
                models.CharField(
                    choices=[
                        ("step-free", "Step-free access"),
                        ("hearing", "Help with hearing"),
                        ("sight", "Help with seeing"),
                        ("quiet", "A quiet place to wait"),
                    ],
                    max_length=20,
                ),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(
            "patient",
            "other_needs",
            models.CharField(blank=True, db_default="", default="", help_text="In the patient's own words.", max_length=500),
        ),
        migrations.AddField("patient", "needs_asked", models.DateTimeField(blank=True, editable=False, null=True)),
    ]
