"""Names and addresses in columns follow the periods for which they were sent to count."""

from datetime import datetime

from django.db.models import BooleanField, Func, Q, Value

from clinic import contacts
from clinic.contacts import PersonName
from clinic.models import Patient, Practitioner, RelatedPerson
from clinic.models.people import Person

BATCH = 500
COLUMNS = ("family", "given", "prefix", "phone", "email")


def renew(*, now: datetime) -> int:
    """Choose again wherever a period decides; return how many rows have changed.

    What a page has written since stays. The resource says the same as before, so its version stays too.
    """
    return sum(_renew(model, now) for model in (Patient, Practitioner, RelatedPerson))


def _renew(model: type[Person], now: datetime) -> int:
    rows = model._default_manager.filter(_dated("$.telecom[*].period") | _dated("$.name[*].period"), deleted_at=None)
    changed = [row for row in rows.iterator(BATCH) if _choose(row, now)]
    model._default_manager.bulk_update(changed, COLUMNS, batch_size=BATCH)
    return len(changed)


def _dated(path: str) -> Q:
    return Q(
        Func(
            "extra",
            Value(path),
            template="(%(expressions)s::jsonpath)",
            arg_joiner=" @? ",
            output_field=BooleanField(),
        )
    )


def _choose(row: Person, now: datetime) -> bool:
    """True if the columns of the row are others now."""
    before = tuple(getattr(row, column) for column in COLUMNS)
    names = row.extra.get("name") or []
    if PersonName(row.family, row.given, row.prefix) in map(contacts.read_name, names):
        name = contacts.name_of(names, now)
        row.family, row.given, row.prefix = name.family, name.given, name.prefix
    telecom = row.extra.get("telecom")
    row.phone = contacts.current(row.phone, telecom, contacts.phone_of, now)
    row.email = contacts.current(row.email, telecom, contacts.email_of, now)
    return before != tuple(getattr(row, column) for column in COLUMNS)
