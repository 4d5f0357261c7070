"""What can be done with an appointment: one function and one transaction each.

The law. A database constraint, `slot_never_sold_twice`, arbitrates; nothing here can outvote it.
All Slots of a booking go in with one ordered INSERT ... ON CONFLICT DO NOTHING; fewer rows than wanted means that
somebody was faster. Locks only make that orderly, and always come in one order: the appointment, who holds it, the
patient, the bookables in order of primary key. Bookings share their bookables; whoever lets go of time and takes other
time in one transaction, makes time count longer, or counts seats, has them alone. `now` is read once, by the door.
"""

from scheduling.booking.appointments import is_holder, not_too_early
from scheduling.booking.blocks import BlockRequest, Extent, block, is_repeated, unblock
from scheduling.booking.holding import (
    HOLD_EXPIRED,
    confirm,
    extend_hold,
    hold,
    name_patient,
    note_presence,
    release_expired_holds,
    support,
)
from scheduling.booking.importing import (
    all_or_nothing,
    amend,
    lock_conditions,
    lock_for,
    lock_registration,
    may_remove,
    record,
    record_all,
    remove,
    remove_slot,
    rewrite_slot,
    write_slots,
)
from scheduling.booking.once import AlreadyAnswered, Once, recall
from scheduling.booking.proving import Proof, is_birth_date, is_own_code, is_own_phone, proof_of
from scheduling.booking.request import BookingRequest
from scheduling.booking.responding import record_response, respond
from scheduling.booking.restoring import can_be_restored, restore
from scheduling.booking.slots import engagements_of
from scheduling.booking.visits import (
    annotate,
    book,
    cancel,
    change_status,
    confirm_attendance,
    correct_status,
    reschedule,
)

__all__ = [
    "HOLD_EXPIRED",
    "AlreadyAnswered",
    "BlockRequest",
    "BookingRequest",
    "Extent",
    "Once",
    "Proof",
    "all_or_nothing",
    "amend",
    "annotate",
    "block",
    "book",
    "can_be_restored",
    "cancel",
    "change_status",
    "confirm",
    "confirm_attendance",
    "correct_status",
    "engagements_of",
    "extend_hold",
    "hold",
    "is_birth_date",
    "is_holder",
    "is_own_code",
    "is_own_phone",
    "is_repeated",
    "lock_conditions",
    "lock_for",
    "lock_registration",
    "may_remove",
    "name_patient",
    "not_too_early",
    "note_presence",
    "proof_of",
    "recall",
    "record",
    "record_all",
    "record_response",
    "release_expired_holds",
    "remove",
    "remove_slot",
    "reschedule",
    "respond",
    "restore",
    "rewrite_slot",
    "support",
    "unblock",
    "write_slots",
]
