"""Rows that refer to a patient, moved to another patient: of all types but visits, and those that are no resources.

Only the audit log and the links between records go on naming the patient whom they named.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from clinic.fhir.transaction_links import renamed
from clinic.models import (
    RESOURCE_MODELS,
    Appointment,
    AuditEvent,
    Bookable,
    CalendarFeed,
    DeskPayment,
    DetailsChange,
    Erasure,
    Launch,
    MessagePreferences,
    Patient,
    PatientNote,
    Payment,
    RelatedPerson,
    Resource,
    Schedule,
)
from scheduling import access

BATCH = 500
# Types that have their own way: visits are moved by scheduling.booking, and what was recorded stays.
APART = (Patient, Appointment, AuditEvent)
MOVED = [model for model in RESOURCE_MODELS if model not in APART]
FEEDS_AND_APPS = (CalendarFeed, DeskPayment, Launch, PatientNote, Payment)
# One for each patient: they move only to a patient who has none.
ONE_EACH = (MessagePreferences, Bookable, DetailsChange, Erasure)


@dataclass
class Moved:
    """The primary keys of the moved rows by model, the rows that are resources, and the accounts of carers who cared
    for both patients, by the key of the row that lost it.
    """

    keys: dict[str, list[int]] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)
    accounts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PatientMove:
    """A move of rows from one locked record to another one."""

    origin: Patient
    destination: Patient
    now: datetime

    def everything(self) -> Moved:
        """Move all rows that refer to the origin: a few statements for each type."""
        moved = Moved(accounts=self._accounts_of_both())
        RelatedPerson.objects.filter(pk__in=moved.accounts).update(user=None)
        for model in MOVED:
            if (named := _referring(model, self.origin)) is not None:
                self._resources(moved, model, named)
        for other in FEEDS_AND_APPS:
            self._others(moved, other)
        for single in ONE_EACH:
            if not single._default_manager.filter(patient=self.destination).exists():
                self._others(moved, single)
        self._keep_stopped_numbers()
        self._resources(moved, Schedule, Q(bookable__in=moved.keys.get("Bookable", ())))
        return moved

    def back(self, keys: dict[str, list[int]], accounts: dict[str, int]) -> Moved:
        """Move these rows, as far as they still refer to the origin, and give carers their accounts back."""
        moved = Moved()
        for model in MOVED:
            if (named := _referring(model, self.origin)) is not None:
                self._resources(moved, model, named & Q(pk__in=keys.get(model.__name__, ())))
        for other in (*FEEDS_AND_APPS, *ONE_EACH):
            self._others(moved, other, keys.get(other.__name__, ()))
        self._resources(moved, Schedule, Q(pk__in=keys.get("Schedule", ())))
        for key, user in accounts.items():
            if not RelatedPerson.objects.filter(patient=self.destination, user=user, deleted_at=None).exists():
                RelatedPerson.objects.filter(pk=key, user=None).update(user=user)
        return moved

    def _resources(self, moved: Moved, model: type[Resource], condition: Q) -> None:
        rows = list(
            model._default_manager.filter(condition).select_for_update(no_key=True, of=("self",)).order_by("pk")
        )
        if not rows:
            return
        for row in rows:
            self._rename(row)
            row.version += 1
            row.last_updated = self.now
        columns = {*_foreign_keys(model), *_json_columns(model), "version", "last_updated"}
        model._default_manager.bulk_update(rows, sorted(columns), batch_size=BATCH)
        moved.keys[model.__name__] = [row.pk for row in rows]
        moved.resources += rows

    def _rename(self, row: Resource) -> None:
        for name in _foreign_keys(type(row)):
            if getattr(row, f"{name}_id") == self.origin.pk:
                setattr(row, name, self.destination)
        names = {self.origin.reference: self.destination.reference}
        columns = {name: getattr(row, name) for name in _json_columns(type(row))}
        for name, value in renamed(columns, names).items():
            setattr(row, name, value)

    def _others(self, moved: Moved, model: Any, among: Collection[int] | None = None) -> None:
        rows = model._default_manager.filter(patient=self.origin)
        if among is not None:
            rows = rows.filter(pk__in=among)
        if keys := list(rows.order_by("pk").values_list("pk", flat=True)):
            model._default_manager.filter(pk__in=keys).update(patient=self.destination)
            moved.keys[model.__name__] = keys

    def _keep_stopped_numbers(self) -> None:
        """Send no text to a number that has answered STOP for either record."""
        preferences = MessagePreferences.objects.filter(patient__in=[self.origin, self.destination])
        of_both = {row.patient_id: row for row in preferences}
        theirs, kept = of_both.get(self.origin.pk), of_both.get(self.destination.pk)
        if theirs is not None and kept is not None and theirs.stopped_numbers:
            kept.stopped_numbers = list(dict.fromkeys([*kept.stopped_numbers, *theirs.stopped_numbers]))
            kept.save(update_fields=["stopped_numbers"])

    def _accounts_of_both(self) -> dict[str, int]:
        """The accounts of carers who care for both patients, by the keys of the origin's rows."""
        carers = RelatedPerson.objects.filter(deleted_at=None, user__isnull=False)
        both = carers.filter(patient=self.origin, user__in=carers.filter(patient=self.destination).values("user"))
        return {str(key): user for key, user in both.values_list("pk", "user_id") if user}


def _referring(model: type[Resource], patient: Patient) -> Q | None:
    """The condition for the rows of a type that refer to the patient; None if none of the type can."""
    reference = {"reference": patient.reference}
    found = [Q(**{name: patient}) for name in _foreign_keys(model)]
    found += [
        Q(**{f"{column}__contains": [{inner: reference} if inner else reference]})
        for column, inner in model.REFERENCE_LISTS
    ]
    found += [Q(**{f"{place}__contains": reference}) for place in access.REFERENCES.get(model.RESOURCE_TYPE, ())]
    condition = Q()
    for each in found:
        condition |= each
    return condition or None


def _foreign_keys(model: type[Resource]) -> list[str]:
    return [each.name for each in model._meta.concrete_fields if each.related_model is Patient]


def _json_columns(model: type[Resource]) -> list[str]:
    """The JSON columns of a type in which a reference to a patient can be."""
    lists = [column for column, _ in model.REFERENCE_LISTS]
    places = [place.partition("__")[0] for place in access.REFERENCES.get(model.RESOURCE_TYPE, ())]
    return list(dict.fromkeys([*lists, *places]))
