from django.db import migrations

from clinic.models.search_column import search_column_value

BATCH = 1000


def fill(apps, schema_editor):
    """A thousand rows at a time, so that no lock is held for long. Rows that are written meanwhile are filled again."""
    for name in ("Patient", "Practitioner", "RelatedPerson"):
        model = apps.get_model("clinic", name)
        last = 0
        while rows := list(model.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
            for row in rows:
                row.search = search_column_value(row)
            model.objects.bulk_update(rows, ["search"])
            last = rows[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0064_patient_notes_and_flags")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
