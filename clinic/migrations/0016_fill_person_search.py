
import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations

from clinic.models.search_column import search_column_value

BATCH = 1000


def fill(apps, schema_editor):
    """A thousand rows at a time, so that no lock is held for long; run again, it goes on where it stopped."""
    for name in ("Patient", "Practitioner", "RelatedPerson"):
        model = apps.get_model("clinic", name)
        for keys in _batches(list(model.objects.filter(search="").values_list("pk", flat=True))):
            rows = list(model.objects.filter(pk__in=keys))
            for row in rows:
                row.search = search_column_value(row)
            model.objects.bulk_update(rows, ["search"])


def _batches(keys):
    return (keys[first : first + BATCH] for first in range(0, len(keys), BATCH))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0015_person_search")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            "patient",
            django.contrib.postgres.indexes.GinIndex(fields=["search"], name="patient_search"),
        ),
    ]
