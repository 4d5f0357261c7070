import django.contrib.postgres.search
from django.db import migrations


def _column(model):
    return migrations.AddField(
        model,
        "search",
        django.contrib.postgres.search.SearchVectorField(default="", editable=False),
    )


class Migration(migrations.Migration):
    dependencies = [("clinic", "0014_named_in_email")]

    operations = [_column("patient"), _column("practitioner"), _column("relatedperson")]
