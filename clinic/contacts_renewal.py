"""The periodic update of names and addresses in columns, when the period of one begins or ends."""

from datetime import datetime

from django.db import transaction
from django.db.models import BooleanField, Func, Q, Value

from clinic.fhir import contacts
from clinic.fhir.contacts import PersonName
from clinic.models import Patient, Practitioner, RelatedPerson
from clinic.models.people import Person
from clinic.parking import Parking

RENEWING = "renew names and addresses"
BATCH = 500
COLUMNS = ("family", "given", "prefix", "phone", "email")


def renew(*, now: datetime) -> int:
    """Choose the current name and addresses of each person with a period in their resource; return how many changed.

    Values that a page has written stay. The resource itself does not change, so its version stays too.
    """
    return sum(_renew(model, now) for model in (Patient, Practitioner, RelatedPerson))


def _renew(model: type[Person], now: datetime) -> int:
    has_period = _has_path("$.telecom[*].period") | _has_path("$.name[*].period")
    aside = Parking(RENEWING, model, now=now)
    rows = model._default_manager.filter(has_period, deleted_at=None).exclude(pk__in=aside.waiting)
    changed: list[Person] = []

    def renew_row(row: Person) -> None:
        if _choose(row, now):
            with transaction.atomic():
                model._default_manager.filter(pk=row.pk).update(**{column: getattr(row, column) for column in COLUMNS})
            changed.append(row)

    aside.process_each(rows.iterator(BATCH), renew_row, writes=False)
    return len(changed)


def _has_path(path: str) -> Q:
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
    """Set the columns of the row for `now`, and return True if they have changed."""
    before = tuple(getattr(row, column) for column in COLUMNS)
    names = row.extra.get("name") or []
    if PersonName(row.family, row.given, row.prefix) in map(contacts.read_name, names):
        name = contacts.name_of(names, now)
        row.family, row.given, row.prefix = name.family, name.given, name.prefix
    telecom = row.extra.get("telecom")
    row.phone = contacts.current(row.phone, telecom, contacts.phone_of, now)
    row.email = contacts.current(row.email, telecom, contacts.email_of, now)
    return before != tuple(getattr(row, column) for column in COLUMNS)
