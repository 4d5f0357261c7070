"""Rows written from drafts, with one statement for each type."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from clinic.exact_json import is_same
from clinic.fhir.datatypes import Json
from clinic.fhir.resources import Draft, to_fhir
from clinic.models import Bookable, HealthcareService, Resource, Schedule, SchedulingParameters

BATCH = 500
MILLISECOND = timedelta(milliseconds=1)


def is_changed(row: Any, draft: Draft) -> bool:
    """True if writing the draft would change the row."""
    return (
        row.deleted_at is not None
        or bool(new_values(row, draft))
        or any({each.pk for each in getattr(row, name).all()} != set(keys) for name, keys in draft.many.items())
        or (isinstance(row, (HealthcareService, Schedule)) and _parameters_differ(row, draft))
    )


def is_equal_to(row: Any, resource: Json) -> bool:
    """True if the resource equals the row's representation, apart from its version. Without a query."""
    return is_same(_unversioned(to_fhir(row)), _unversioned(resource))


def _unversioned(resource: Json) -> Json:
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return {**resource, "meta": meta}


def new_values(row: Any, draft: Draft) -> dict[str, Any]:
    """The columns whose values would change."""
    return {name: value for name, value in draft.fields.items() if not _means(getattr(row, name), value)}


def insert(model: type[Resource], drafts: Sequence[Draft], *, now: datetime) -> list[Any]:
    """Insert the drafts with their related rows."""
    rows = model._default_manager.bulk_create(
        [model(**draft.fields, last_updated=now) for draft in drafts], batch_size=BATCH
    )
    _insert_related(model, list(zip(rows, drafts, strict=True)))
    return rows


def overwrite(model: type[Resource], changes: Sequence[tuple[Any, Draft]], *, now: datetime) -> None:
    """Write the drafts to these locked rows as their next versions. A deleted row is restored.

    The rows are written first: the history stores their related rows with the version before (clinic.models.history).
    """
    if not changes:
        return
    for row, draft in changes:
        for name, value in {**draft.fields, "version": row.version + 1, "last_updated": now}.items():
            setattr(row, name, value)
        row.deleted_at = None
    columns = {name for _, draft in changes for name in draft.fields} | {"version", "last_updated", "deleted_at"}
    model._default_manager.bulk_update([row for row, _ in changes], sorted(columns - {"fhir_id"}), batch_size=BATCH)
    _delete_related(model, changes)
    _insert_related(model, changes)


def mark_deleted(row: Any, *, now: datetime) -> None:
    """Mark a locked row as deleted in its next version."""
    row.version += 1
    row.last_updated = row.deleted_at = now
    row.save(update_fields=["version", "last_updated", "deleted_at"])


def set_bookables(drafts: Iterable[Draft]) -> None:
    """Set the Bookable in the draft of each Schedule: one for each actor, created if it is missing."""
    actors_by_field: dict[str, set[int]] = defaultdict(set)
    found: dict[tuple[str, int], int] = {}
    drafts = list(drafts)
    for draft in drafts:
        if draft.actor:
            actors_by_field[draft.actor[0]].add(draft.actor[1])
    for field, actors in actors_by_field.items():
        missing = actors - _bookables(field, actors).keys()
        Bookable.objects.bulk_create([Bookable(**{f"{field}_id": pk}) for pk in missing], ignore_conflicts=True)
        found |= {(field, actor): pk for actor, pk in _bookables(field, actors).items()}
    for draft in drafts:
        if draft.actor:
            draft.fields["bookable_id"] = found[draft.actor]


def _bookables(field: str, actors: set[int]) -> dict[int, int]:
    rows = Bookable.objects.filter(**{f"{field}__in": actors})
    return dict(rows.values_list(f"{field}_id", "pk"))


def _means(value: Any, sent: Any) -> bool:
    """True if the values are equal. Resources have milliseconds, rows have microseconds."""
    if isinstance(value, datetime) and isinstance(sent, datetime):
        return abs(value - sent) < MILLISECOND
    return is_same(value, sent)


def _parameters_differ(row: HealthcareService | Schedule, draft: Draft) -> bool:
    own = {each.service_id: each for each in row.scheduling_parameters.all() if _owns(row, each)}
    given = {row.pk if each.service_id == "self" else each.service_id: each.fields for each in draft.parameters}
    return own.keys() != given.keys() or any(
        getattr(own[service], name) != value for service, fields in given.items() for name, value in fields.items()
    )


def _owns(row: HealthcareService | Schedule, parameters: SchedulingParameters) -> bool:
    """True if the parameters belong to this resource. Parameters on one schedule belong to the schedule."""
    return isinstance(row, Schedule) or parameters.schedule_id is None


def _delete_related(model: type[Resource], changes: Sequence[tuple[Any, Draft]]) -> None:
    keys = [row.pk for row, _ in changes]
    for name in changes[0][1].many:
        field: Any = model._meta.get_field(name)
        field.remote_field.through._default_manager.filter(**{f"{field.m2m_field_name()}__in": keys}).delete()
    if model is Schedule:
        SchedulingParameters.objects.filter(schedule__in=keys).delete()
    elif model is HealthcareService:
        SchedulingParameters.objects.filter(service__in=keys, schedule=None).delete()


def _insert_related(model: type[Resource], written: Sequence[tuple[Any, Draft]]) -> None:
    for name in written[0][1].many if written else ():
        field: Any = model._meta.get_field(name)
        through = field.remote_field.through
        source, target = f"{field.m2m_field_name()}_id", f"{field.m2m_reverse_field_name()}_id"
        through._default_manager.bulk_create(
            [through(**{source: row.pk, target: key}) for row, draft in written for key in draft.many[name]],
            batch_size=BATCH,
        )
    SchedulingParameters.objects.bulk_create(
        [_parameters(row, each.service_id, each.fields) for row, draft in written for each in draft.parameters],
        batch_size=BATCH,
    )


def _parameters(row: Any, service: int | str, fields: dict[str, Any]) -> SchedulingParameters:
    if service == "self":
        return SchedulingParameters(service_id=row.pk, **fields)
    return SchedulingParameters(service_id=service, schedule_id=row.pk, **fields)
