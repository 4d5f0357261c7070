"""Merges of patients' records: https://hl7.org/fhir/6.0.0-ballot3/patient-operation-merge.html

Everything that refers to one record, the source, refers to the other one, the target, afterwards. The source becomes
inactive, and each names the other in a link. A merge can be undone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.fhir.past_versions import rows_as_they_were
from clinic.fhir.resources import RESOURCES
from clinic.models import Appointment, AuditEvent, Bookable, PastVersion, Patient, PatientMerge, Resource
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.errors import Invalid, Issue, NotFound, RuleBroken, VersionConflict
from scheduling.interactions.conditions import SeveralMatch
from scheduling.interactions.entries import BundleRefused, Json, update_of
from scheduling.interactions.moved_rows import Moved, PatientMove
from scheduling.interactions.writer import WriteRequest, write_within

REPLACED_BY, REPLACES = "replaced-by", "replaces"
NAMED = 5
NEEDS = ("needs", "other_needs", "interpreter_required", "interpreter_language", "returning")
FLAGS = ("barred_online", "barred_reason", "vip")
# The columns that the target can take from the source.
COLUMNS = frozenset({"prefix", "given", "family", "birth_date", "gender", "phone", "email", "language"})
SOURCE, TARGET, RESULT = "Parameters.source-patient", "Parameters.target-patient", "Parameters.result-patient"


@dataclass(frozen=True, kw_only=True)
class RecordName:
    """A patient's record as a request names it: by its id, by identifiers that it must all have, or by both."""

    fhir_id: str = ""
    identifiers: tuple[Json, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MergeRequest:
    """The records to merge, and the target as it should be afterwards, a Patient resource, if that is given.

    Without `result`, the target gets the columns `taken` from the source. A `preview` does everything and then undoes
    it. `base` is our own address. `versions` are those of source and target that the request was made for.
    """

    source: RecordName
    target: RecordName
    result: Json | None = None
    taken: frozenset[str] = frozenset()
    versions: tuple[int, int] | None = None
    preview: bool = False
    base: str = ""


@dataclass(frozen=True)
class Merged:
    """Both records as the merge, or its undoing, leaves them, and the number of moved resources of each type."""

    source: Patient
    target: Patient
    moved: Mapping[str, int] = field(default_factory=dict)


def merge(request: MergeRequest, *, caller: Caller, now: datetime) -> Merged:
    """Merge the source into the target, in one transaction. A merge that is done already is answered as it is.

    Raises NotFound and SeveralMatch for names of records, RuleBroken with every reason against the merge, Forbidden,
    what writing the target raises, VersionConflict if one is not at its version any more, and ScheduleBusy.
    """
    access.may_merge(caller)
    with booking.all_or_nothing():
        source, target = _locked(request.source, request.target, caller)
        if source.merged_into == target.fhir_id:
            return Merged(source, target)
        if request.versions not in (None, (source.version, target.version)):
            raise VersionConflict
        merged = merge_locked(source, target, request, caller=caller, now=now)
        if request.preview:
            transaction.set_rollback(True)
    return merged


def merge_locked(source: Patient, target: Patient, request: MergeRequest, *, caller: Caller, now: datetime) -> Merged:
    """Merge two records that `booking.lock_records` has locked, as the request says. The caller's right to it has been
    checked.

    Raises RuleBroken with every reason against the merge, and what writing the target raises.
    """
    if issues := list(_obstacles(source, target, caller, now)):
        raise RuleBroken(issues=issues)
    return _merge(source, target, request, caller, now)


def unmerge(name: RecordName, *, caller: Caller, now: datetime) -> Merged:
    """Undo the merge of this source, in one transaction.

    What was moved goes back as far as it is still the target's; what was booked or written for the target since stays.
    A record that nobody has changed since is restored as it was, another one only loses the links and identifiers that
    the merge has added.
    Raises NotFound, RuleBroken if the record was not merged here or the target was merged since, and what `merge`
    raises besides.
    """
    access.may_merge(caller)
    with booking.all_or_nothing():
        source = _named(name, caller, SOURCE)
        done = PatientMerge.objects.filter(source=source, undone_at=None).select_related("target").first()
        if done is None:
            raise RuleBroken(_("This record was not merged, or not by this system."), expression=SOURCE)
        source, target = _locked(name, RecordName(fhir_id=done.target.fhir_id), caller)
        if target.merged_into:
            text = _("The surviving record was merged itself in the meantime. Undo that first.")
            raise RuleBroken(text, expression=SOURCE)
        return _unmerge(done, source, target, caller, now)


def _locked(source: RecordName, target: RecordName, caller: Caller) -> tuple[Patient, Patient]:
    """The two records, locked with their visits. Raises Invalid if they are one."""
    named = [_named(source, caller, SOURCE), _named(target, caller, TARGET)]
    if named[0].pk == named[1].pk:
        raise Invalid(_("Both are the same record."), expression=TARGET)
    locked = booking.lock_records(named)
    if len(locked) < len(named):
        raise NotFound
    access.require_within_scopes(Patient, list(locked), caller, "u")
    return locked[named[0].pk], locked[named[1].pk]


def _named(name: RecordName, caller: Caller, expression: str) -> Patient:
    """The one record that a name means, among those that the caller may see."""
    rows = access.visible(Patient, caller, "rsu").filter(deleted_at=None)
    if name.fhir_id:
        rows = rows.filter(fhir_id=name.fhir_id)
    for identifier in name.identifiers:
        parts = {part: identifier[part] for part in ("system", "value") if part in identifier}
        rows = rows.filter(identifier__contains=[parts])
    found = list(rows.order_by("pk")[:2])
    if not found:
        raise NotFound(_("There is no such patient."), expression=expression)
    if len(found) > 1:
        raise SeveralMatch(_("Several patients have these identifiers."), expression=expression)
    return found[0]


def _obstacles(source: Patient, target: Patient, caller: Caller, now: datetime) -> Iterator[Issue]:
    """The obstacles to the merge of these locked records."""
    if source.merged_into:
        text = _("This record was merged into another one before. Undo that first.")
        yield Issue("business-rule", text, SOURCE)
    if target.merged_into:
        yield Issue("business-rule", _("This record was merged into another one. Use that one."), TARGET)
    if source.user_id and target.user_id:
        text = _("Both patients sign in with an account of their own. Take one of the accounts from its record first.")
        yield Issue("conflict", text, SOURCE)
    if Bookable.objects.filter(patient__in=[source, target]).count() > 1:
        text = _("Both records have a calendar of their own. Nothing can tell which of them counts.")
        yield Issue("conflict", text, SOURCE)
    clashes = list(booking.clashes(source, target, now=now)[: NAMED + 1])
    if clashes:
        seen = set(access.visible(Appointment, caller).filter(pk__in=[each.pk for each in clashes]).values_list("pk"))
        names = [each.reference for each in clashes[:NAMED] if (each.pk,) in seen]
        text = _("Both have a visit at the same time. Cancel or move one of them first.")
        yield Issue("conflict", " ".join([text, *names]), SOURCE)


def _merge(source: Patient, target: Patient, request: MergeRequest, caller: Caller, now: datetime) -> Merged:
    before = {row.pk: row.version for row in (source, target)}
    visits = booking.move_visits(source, target, caller=caller, now=now)
    moved = PatientMove(source, target, now).everything()
    if request.result is not None:
        _write_result(request.result, target, request.base, caller, now)
        target.refresh_from_db()
    else:
        target.identifier = [*target.identifier, *_former_identifiers(source, target)]
        _keep_needs(source, target)
        _take(source, target, request.taken)
    _keep_flags(source, target)
    account = source.user_id
    source.user_id, source.active = None, False
    target.user_id = target.user_id or account
    for row, kind, other in ((source, REPLACED_BY, target), (target, REPLACES, source)):
        row.extra = _with_link(row.extra, kind, other)
        _save(row, now, "user", "active", "identifier", "extra", *NEEDS, *FLAGS, *request.taken & COLUMNS)
    PatientMerge.objects.create(
        source=source,
        target=target,
        merged_at=now,
        source_before=before[source.pk],
        source_after=source.version,
        target_before=before[target.pk],
        target_after=target.version,
        account_id=account,
        moved={**moved.keys, Appointment.__name__: visits},
        accounts=moved.accounts,
    )
    _audit("merge", (source, target), (target, moved), caller, now)
    return Merged(source, target, _counts(moved, len(visits)))


def _unmerge(done: PatientMerge, source: Patient, target: Patient, caller: Caller, now: datetime) -> Merged:
    keys = {name: list(numbers) for name, numbers in done.moved.items()}
    visits = booking.return_visits(keys.pop(Appointment.__name__, ()), source, target, caller=caller, now=now)
    moved = PatientMove(target, source, now).back(keys, done.accounts)
    target = _as_before(target, done.target_before, done.target_after) or _without_source(target, source)
    source = _as_before(source, done.source_before, done.source_after) or _without_target(source, target)
    account = done.account_id if done.account_id == target.user_id else None
    if account:
        target.user_id, source.user_id = None, account
    for row in (target, source):
        _save(row, now, *(column.name for column in Patient._meta.concrete_fields if not column.primary_key))
    done.undone_at = now
    done.save(update_fields=["undone_at"])
    _audit("unmerge", (source, target), (source, moved), caller, now)
    return Merged(source, target, _counts(moved, len(visits)))


def _write_result(resource: Json, target: Patient, base: str, caller: Caller, now: datetime) -> None:
    """Write the target as the request wants it. Its id must be the target's."""
    try:
        entry = update_of(Patient.RESOURCE_TYPE, target.fhir_id, resource)
        write_within(WriteRequest(entries=[entry], base=base), caller=caller, now=now)
    except BundleRefused as refusal:
        raise refusal.problems[0].error from refusal


def _former_identifiers(source: Patient, target: Patient) -> list[Json]:
    """The source's identifiers that the target does not have, marked as old."""
    known = {(each.get("system"), each.get("value")) for each in target.identifier}
    return [
        {**each, "use": "old"} for each in source.identifier if (each.get("system"), each.get("value")) not in known
    ]


def _keep_needs(source: Patient, target: Patient) -> None:
    """Add the source's needs to the target's: staff prepare for them, and nobody is asked for them again."""
    target.needs = list(dict.fromkeys([*target.needs, *source.needs]))
    _keep_text("other_needs", source, target)
    target.interpreter_required = target.interpreter_required or source.interpreter_required
    target.interpreter_language = target.interpreter_language or source.interpreter_language
    target.returning = target.returning or source.returning


def _take(source: Patient, target: Patient, taken: frozenset[str]) -> None:
    """Give the target these columns and elements of the source in place of its own."""
    for column in taken & COLUMNS:
        setattr(target, column, getattr(source, column))
    others = {name: value for name, value in target.extra.items() if name not in taken}
    target.extra = others | {name: value for name, value in source.extra.items() if name in taken}


def _keep_flags(source: Patient, target: Patient) -> None:
    """Add the source's flags to the target's, which no request can name: they are for the staff alone."""
    _keep_text("barred_reason", source, target)
    target.barred_online = target.barred_online or source.barred_online
    target.vip = target.vip or source.vip


def _keep_text(column: str, source: Patient, target: Patient) -> None:
    """Add the source's text to the target's, unless both are too long for the column: the source keeps its own."""
    texts = dict.fromkeys(filter(None, (getattr(target, column), getattr(source, column))))
    together = "; ".join(texts)
    if len(together) <= getattr(Patient, column).field.max_length:
        setattr(target, column, together)


def _with_link(extra: Json, kind: str, other: Patient) -> Json:
    """`extra` with a link to the other record, in place of one that a client sent."""
    link = {"other": {"reference": other.reference, "display": str(other)}, "type": kind}
    return {**extra, "link": [*_other_links(extra, kind, other), link]}


def _other_links(extra: Json, kind: str, other: Patient) -> list[Json]:
    return [
        link
        for link in extra.get("link", ())
        if (link.get("type"), link.get("other", {}).get("reference")) != (kind, other.reference)
    ]


def _as_before(patient: Patient, before: int, after: int) -> Patient | None:
    """The record as it was before the merge, with its present version and account; None if it has been changed since
    or its history is no longer kept.
    """
    past = PastVersion.objects.filter(resource_type=Patient.RESOURCE_TYPE, row_id=patient.pk, version=before).first()
    if past is None or patient.version != after:
        return None
    [restored] = rows_as_they_were(RESOURCES[Patient.RESOURCE_TYPE], [past.pk])
    restored.version, restored.user_id = patient.version, patient.user_id
    assert isinstance(restored, Patient)
    return restored


def _without_source(target: Patient, source: Patient) -> Patient:
    """The surviving record without the link and the identifiers that the merge has added."""
    added = [{**each, "use": "old"} for each in source.identifier]
    target.identifier = [each for each in target.identifier if each not in added]
    target.extra = _without_link(target.extra, REPLACES, source)
    return target


def _without_target(source: Patient, target: Patient) -> Patient:
    """The merged record, active and without the link that the merge has added."""
    source.active = True
    source.extra = _without_link(source.extra, REPLACED_BY, target)
    return source


def _without_link(extra: Json, kind: str, other: Patient) -> Json:
    links = _other_links(extra, kind, other)
    rest = {name: value for name, value in extra.items() if name != "link"}
    return {**rest, "link": links} if links else rest


def _save(patient: Patient, now: datetime, *columns: str) -> None:
    """Write a locked record as its next version."""
    patient.version += 1
    patient.last_updated = now
    patient.save(update_fields={*columns, "version", "last_updated"})


def _audit(
    use_case: str, records: Iterable[Patient], moved_to: tuple[Patient, Moved], caller: Caller, now: datetime
) -> None:
    """Write a line for each record and for each moved resource, which is the record's to which it was moved."""
    destination, moved = moved_to
    rows: list[tuple[Patient, Resource]] = [(record, record) for record in records]
    rows += [(destination, row) for row in moved.resources]
    AuditEvent.objects.bulk_create(
        [
            access.audit_event(
                use_case,
                AuditEvent.Action.UPDATE,
                caller=caller,
                now=now,
                patient_id=patient.pk,
                target=f"{row.reference}/_history/{row.version}",
            )
            for patient, row in rows
        ],
        batch_size=1000,
    )


def _counts(moved: Moved, visits: int) -> dict[str, int]:
    counted: Counter[str] = Counter(row.RESOURCE_TYPE for row in moved.resources)
    return dict(sorted({**counted, **({Appointment.RESOURCE_TYPE: visits} if visits else {})}.items()))
