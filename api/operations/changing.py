"""$hold and $book of an Appointment that is there: what a hold or a visit becomes.

https://profiles.ihe.net/ITI/Scheduling/ITI-117.html: `booked` asks for the visit as the resource says it, `cancelled`
for no visit.
"""

from collections.abc import Sequence

from api.operations.base import Attempt
from api.operations.wanted import Wanted
from api.submissions import wished
from clinic.fhir.datatypes import Json
from clinic.fhir.references import local_reference
from clinic.fhir.status_reasons import said_both_ways
from clinic.fhir.visit_types import codings_of
from clinic.models import Appointment
from scheduling import access, booking
from scheduling.booking import Once
from scheduling.errors import HoldExpired, IllegalTransition, Issue, RuleBroken, TimeTaken

STAYS = "This visit is for another {}, and stays so: cancel it, and book another."


def keep(wanted: Wanted, held: Appointment) -> Attempt:
    """The answer to a hold of a held proposal: its holder is told until when, anyone else that it is taken."""

    def run(once: Once | None) -> Appointment:
        if held.status != Appointment.Status.PENDING:
            raise IllegalTransition(held.status, "held")
        if held.hold_expires_at is not None and held.hold_expires_at <= wanted.now:
            raise HoldExpired
        if not booking.is_holder(held, wanted.caller):
            raise TimeTaken
        return as_it_is(wanted, held)

    return Attempt(run)


def confirm(wanted: Wanted, held: Appointment) -> Attempt:
    """The visit that is already booked for this patient and proposal, so that a repeated request has it once."""
    patient = wanted.patient(held.patient)
    if held.status == Appointment.Status.BOOKED and patient == held.patient:
        return Attempt(lambda once: as_it_is(wanted, held))
    comment = wanted.asked.comment or str((wanted.asked.sent or {}).get("comment", ""))
    return Attempt(
        lambda once: booking.confirm(
            held.fhir_id,
            caller=wanted.caller,
            now=wanted.now,
            comment=comment,
            patient=patient if patient != held.patient else None,
            extensions=wanted.extensions(patient),
            version=wanted.version,
            once=once,
        )
    )


def as_it_is(wanted: Wanted, visit: Appointment) -> Appointment:
    """Nothing is written of it, so that it was told has a line of its own."""
    access.record_disclosure([visit], "read", caller=wanted.caller, now=wanted.now)
    return visit


def cancel(wanted: Wanted, visit: Appointment) -> Attempt:
    if visit.status == Appointment.Status.CANCELLED:
        return Attempt(lambda once: as_it_is(wanted, visit))
    assert wanted.asked.sent is not None
    draft = wished.read_draft(said_both_ways(wanted.asked.sent), wanted.at, wanted.base)
    reason = draft.fields["cancelation_reason"]
    return Attempt(
        lambda once: booking.cancel(
            visit.fhir_id, caller=wanted.caller, now=wanted.now, reason=reason, version=wanted.version, once=once
        )
    )


def change(wanted: Wanted, visit: Appointment) -> Attempt:
    """As the resource says now: at its time, with its people, with its remarks."""
    _check_the_same(wanted, visit)
    wish = wanted.wish
    notes = wished.notes_of(wish)
    notes["comment"] = wanted.asked.comment or notes["comment"]
    if _moves(wanted, visit):
        return _move(wanted, visit, notes)
    said = {name: visit.comment if name == "comment" else visit.extra.get(name) for name in notes}
    if said == notes:
        return Attempt(lambda once: as_it_is(wanted, visit))
    return Attempt(
        lambda once: booking.annotate(
            visit.fhir_id, notes, caller=wanted.caller, now=wanted.now, version=wanted.version, once=once
        )
    )


def _move(wanted: Wanted, visit: Appointment, notes: Json) -> Attempt:
    start = wanted.wish.start
    chosen = wished.chosen_for(wanted.wish, wanted.may_book, now=wanted.now, without=visit)

    def run(once: Once | None) -> Appointment:
        return booking.reschedule(
            visit.fhir_id,
            offerings=chosen.offerings,
            start=start,
            caller=wanted.caller,
            now=wanted.now,
            notes=notes,
            version=wanted.version,
            once=once,
        )

    return Attempt(run, wanted.teller(chosen.service, chosen.offerings, start))


def _check_the_same(wanted: Wanted, visit: Appointment) -> None:
    """Raises IllegalTransition for a visit that is over, RuleBroken for another patient or another service."""
    if visit.status not in (Appointment.Status.BOOKED, Appointment.Status.PENDING):
        raise IllegalTransition(visit.status, "changed")
    fields = wanted.wish.draft.fields
    named = codings_of(fields["extra"].get("serviceType", []))
    known = codings_of(visit.extra.get("serviceType") or (visit.service.type if visit.service else []))
    differs = {
        "patient": wanted.patient(wanted.wish.patient or visit.patient) != visit.patient,
        "service": fields["service_id"] not in (None, visit.service_id) or not named <= known,
    }
    places = {"patient": "participant", "service": "serviceType"}
    if any(differs.values()):
        raise RuleBroken(
            issues=[
                Issue("business-rule", STAYS.format(what), f"{wanted.at}.{places[what]}")
                for what, is_other in differs.items()
                if is_other
            ]
        )


def _moves(wanted: Wanted, visit: Appointment) -> bool:
    """True if the time, or whose it takes, is another."""
    fields = wanted.wish.draft.fields
    return (fields["start"], fields["end"] or visit.end) != (visit.start, visit.end) or (
        _actors(fields["participant"]) != _actors(access.redacted(visit, wanted.caller).participant)
    )


def _actors(participants: Sequence[Json]) -> set[str]:
    return {local_reference(str(each.get("actor", {}).get("reference", ""))) for each in participants}
