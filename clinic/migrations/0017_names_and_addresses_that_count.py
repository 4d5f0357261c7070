from django.db import migrations
from django.db.models import Q
from django.utils import timezone

from clinic.fhir import contacts
from clinic.fhir.contacts import PersonName
from clinic.fhir.people_parts import language_of
from clinic.models.search_column import search_column_value

BATCH = 1000
COLUMNS = ["extra", "family", "given", "prefix", "phone", "email", "search"]


def choose(apps, schema_editor):
    """Write names and addresses that only columns kept back into the resource, and choose those that count now."""
    now = timezone.now()
    for kind in ("Patient", "Practitioner", "RelatedPerson"):
        model = apps.get_model("clinic", kind)
        several = Q(extra__has_any_keys=["name", "telecom", "communication"])
        keys = list(model.objects.filter(several).values_list("pk", flat=True))
        for first in range(0, len(keys), BATCH):
            rows = list(model.objects.filter(pk__in=keys[first : first + BATCH]))
            for row in rows:
                _names(row, now)
                _points(row, "phone", ("phone", "sms"), contacts.phone_of, now)
                _points(row, "email", ("email",), contacts.email_of, now)
                if kind == "Patient":
                    row.language = row.language or language_of(row.extra.get("communication"))
                row.search = search_column_value(row)
            model.objects.bulk_update(rows, [*COLUMNS, *(["language"] if kind == "Patient" else [])])


def _names(row, now):
    names = row.extra.get("name") or []
    if not names or not isinstance(names[0], dict) or (len(names) == 1 and not names[0].keys() & {"text", "period"}):
        return
    for part, value in (("family", row.family), ("given", row.given.split()), ("prefix", row.prefix.split())):
        if value and not names[0].get(part):
            names[0][part] = value
    chosen = contacts.name_of(names, now)
    if chosen != PersonName():
        row.family, row.given, row.prefix = chosen.family[:200], chosen.given[:200], chosen.prefix[:50]


def _points(row, column, systems, choose_one, now):
    points = row.extra.get("telecom") or []
    own = [each for each in points if isinstance(each, dict) and each.get("system") in systems]
    first = next((each for each in own if each["system"] == systems[0]), None)
    if not own or (len(own) == 1 and own[0] is first and first.get("use") != "old" and not first.get("period")):
        return
    if first is not None and not first.get("value") and getattr(row, column):
        first["value"] = getattr(row, column)
    setattr(row, column, choose_one(own, now)[:50 if column == "phone" else 254])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0016_fill_person_search")]

    operations = [migrations.RunPython(choose, migrations.RunPython.noop)]
