import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

from clinic.models.subscription import HEADER
from clinic.encryption import decrypt, encrypt


def _change_values(apps, change):
    """Apply `change` to the header values of subscriptions and of their past versions."""

    def changed(headers):
        parts = [each.partition(":") for each in headers]
        return [f"{name}: {change(value.strip(), HEADER)}" for name, _, value in parts]

    for row in apps.get_model("clinic", "Subscription").objects.exclude(header=[]):
        row.header = changed(row.header)
        row.save(update_fields=["header"])
    for past in apps.get_model("clinic", "PastVersion").objects.filter(resource_type="Subscription"):
        past.row["header"] = changed(past.row.get("header") or [])
        past.save(update_fields=["row"])


def encrypt_headers(apps, schema_editor):
    _change_values(apps, encrypt)


def decrypt_headers(apps, schema_editor):
    _change_values(apps, decrypt)


class Migration(migrations.Migration):
    dependencies = [("clinic", "0011_search")]

    operations = [
        migrations.AddField(
            model_name="pastversion",
            name="replaced",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="header",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), blank=True, default=list, editable=False, size=None
            ),
        ),
        migrations.RunPython(encrypt_headers, decrypt_headers),
    ]
