import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("clinic", "0071_message_note_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("request", "Request to answer"),
                            ("text", "Text to read"),
                            ("change", "Change of name or date of birth"),
                            ("rebook", "Visit to rebook"),
                            ("unconfirmed", "Visit not confirmed"),
                            ("failure", "Message not sent"),
                            ("coverage", "Insurance to check"),
                            ("forms", "Forms missing"),
                            ("payment", "Payment refused"),
                            ("recall", "Patient to be seen again"),
                            ("duplicate", "Possible duplicate"),
                        ],
                        max_length=12,
                    ),
                ),
                ("row", models.BigIntegerField()),
                ("put_off_until", models.DateField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed", models.DateTimeField(db_index=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="work_items",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "row"), name="work_item_once")],
            },
        ),
        migrations.AlterField(
            model_name="paymentorder",
            name="status",
            field=models.CharField(
                choices=[
                    ("waiting", "On its way"),
                    ("done", "Done"),
                    ("failed", "Failed"),
                    ("settled", "Refused, settled otherwise"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
    ]
